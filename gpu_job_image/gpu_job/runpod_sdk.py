"""RunPod's SDK, imported in 1 s instead of 2.3 s.

While it is imported it asks for the processor's name, which its debugger alone shows, and waits
1.2 s for it (rp_debugger, by way of py-cpuinfo). It bears that there is none.
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
