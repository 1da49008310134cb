"""Parts of ours in texts that others wrote, and the proof that they run.

The resources (config_text.py, mount.py, proof.py, dashboard_folder.py, predecessor.py) declare inputs; what they do
stands in providers/, which the plugin's process alone loads (provider.py).

Pure: editors.py (what a resource asks for) over rule_files.py, routing_merge.py and whole_file.py; they splice marked
lines (splice.py, take_out.py) at positions that yaml_tree.py finds.
"""
