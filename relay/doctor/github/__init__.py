"""The checks that ask GitHub: credentials, repositories, workflows."""
