"""What the resources of components.live do: loaded in the plugin's process alone (components.live.provider)."""
