"""mlops_lab: every claim of an introductory MLOps lecture, measured on your own laptop."""
