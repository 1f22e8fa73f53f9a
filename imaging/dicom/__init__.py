"""DICOM without Django: reading, de-identification, intake, frames, phantom. Bytes in, values out."""
