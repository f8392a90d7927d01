"""The last step of a pipeline job: starts the next Azure DevOps pipeline, once."""
