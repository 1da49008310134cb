"""What is declared with Pulumi, and what edits and proves in the plugin's process (live/)."""
