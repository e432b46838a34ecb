"""Archives too large for one process: a plan, tasks that any engine may map, and what watches over them.

Reading order: sources, plan, task; then run (with lease), engine, local. Ray's engine is
vaecodec/integrations/ray.py; what a shard is, and how shards are read as one archive, is in vaecodec/archive/.
"""
