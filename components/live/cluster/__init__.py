"""The Kubernetes API: texts in ConfigMaps, mounts in Deployments, and whose an object is."""
