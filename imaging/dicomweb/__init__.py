"""DICOMweb: other programs search images, fetch them and send them, under the same permissions as everything."""
