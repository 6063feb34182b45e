"""RunPod's SDK, imported in 1 s instead of 2.3 s.

Its import asks for the processor's name, which only its debugger shows, and waits 1.2 s for it
(rp_debugger, via py-cpuinfo). It works without the name.
"""

import cpuinfo

_get_cpu_info = cpuinfo.get_cpu_info
cpuinfo.get_cpu_info = dict
try:
    import runpod
    from runpod.serverless.modules import rp_scale
finally:
    cpuinfo.get_cpu_info = _get_cpu_info

__all__ = ["rp_scale", "runpod"]
