"""The Kubernetes API: texts in ConfigMaps, mounts in workloads, and whose an object is."""
