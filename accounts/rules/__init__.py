"""What follows from given facts about people and signatures: pure, without a database."""
