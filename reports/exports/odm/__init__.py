"""CDISC ODM-XML 1.3.2: metadata of every version, all transactions with who, when and why, and signatures."""
