"""The control plane of a RunPod on loopback: REST v2, as docs.runpod.io/api-reference-v2 has it.

What it refuses, the real one was seen to refuse: unknown fields, an idle timeout beside
REQUEST_COUNT, GPU types that are in none of the pools.
"""

from itertools import count

GPUS = {
    "NVIDIA L4": "AMPERE_24",
    "NVIDIA GeForce RTX 4090": "ADA_24",
    "NVIDIA RTX A5000": "AMPERE_24",
    "NVIDIA GeForce RTX 3090": "AMPERE_24",
    "NVIDIA A40": "AMPERE_48",
    "NVIDIA RTX A6000": "AMPERE_48",
    "NVIDIA L40": "ADA_48_PRO",
    "NVIDIA L40S": "ADA_48_PRO",
    "NVIDIA RTX 6000 Ada Generation": "ADA_48_PRO",
    "NVIDIA A100 80GB PCIe": "AMPERE_80",
    "NVIDIA A100-SXM4-80GB": "AMPERE_80",
    "NVIDIA H100 80GB HBM3": "ADA_80_PRO",
    "NVIDIA H100 PCIe": "ADA_80_PRO",
    "NVIDIA RTX A4000": "AMPERE_16",
    "NVIDIA RTX A4500": "AMPERE_16",
    "NVIDIA RTX 4000 Ada Generation": "AMPERE_16",
    "NVIDIA RTX 2000 Ada Generation": "AMPERE_16",
    "NVIDIA H200": "HOPPER_141",
    "NVIDIA RTX PRO 6000 Blackwell Server Edition": "BLACKWELL_96",
    "NVIDIA RTX PRO 6000 Blackwell Workstation Edition": "BLACKWELL_96",
    "NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb": "AMPERE_24",
    "NVIDIA B200": "BLACKWELL_180",
    "NVIDIA GeForce RTX 3070": None,
}
CONTAINER = {"image", "args", "disk", "ports", "env", "registry", "templateId"}
FIELDS = CONTAINER | {"name", "gpu", "workers", "scaling", "dataCenterIds", "networkVolumes"}
FIELDS |= {"timeout", "flashboot"}
NESTED = {
    "gpu": {"pools", "excludedTypes", "count", "allowedCudaVersions", "minCudaVersion"},
    "workers": {"min", "max", "idleTimeout"},
    "scaling": {"type", "queueDelay", "requestCount"},
}


class RefusedError(Exception):
    def __init__(self, status, detail, *errors):
        super().__init__(detail)
        self.answer = status, {"title": "no", "status": status, "detail": detail}
        self.answer[1].update({"errors": list(errors)} if errors else {})


class ControlPlane:
    """Endpoints by id; `changes` are the bodies of all that was made and changed."""

    def __init__(self):
        self.endpoints, self.changes, self._numbers = {}, [], count(1)
        self.bills = []  # records of endpoints' days
        # USD an hour, as in the catalogue of its docs
        self.prices = {"NVIDIA GeForce RTX 4090": {"secure": 0.44, "serverless": 1.1}}
        self.stock = {}  # by type, its level in each data center

    def answer(self, method, verb, rest, asked, body):
        """Status and object."""
        if verb == "catalog":
            return self._catalog(asked)
        try:
            return self._serverless(method, rest, body)
        except RefusedError as refused:
            return refused.answer

    def _catalog(self, asked):
        """Stock comes only when it is asked for, and for a product; HIGH where nothing is set."""
        if ("include" in asked) != ("product" in asked):
            return 422, {"title": "no", "status": 422, "detail": "AVAILABILITY needs a product"}
        gpus = []
        for id_, pool in GPUS.items():
            one = {"id": id_, "name": id_, "pool": pool, "price": self.prices.get(id_, {})}
            if asked.get("include") == "AVAILABILITY":
                levels = self.stock.get(id_, {"EU-RO-1": "HIGH"})
                best = max(levels.values(), key=["NONE", "LOW", "MEDIUM", "HIGH"].index)
                centers = [{"id": at, "availability": level} for at, level in levels.items()]
                one |= {"availability": best, "dataCenters": centers}
            gpus.append(one)
        return 200, {"gpus": gpus}

    def bill(self, asked):
        """Records of one endpoint whose day begins in the window that is asked for."""
        unknown = asked.keys() - {"serverlessId", "startTime", "endTime", "bucketSize", "lastN"}
        if unknown or asked["bucketSize"] not in {"hour", "day", "week", "month", "year"}:
            return 422, {"title": "no", "status": 422, "detail": f"not allowed: {unknown}"}
        found = [
            record
            for record in self.bills
            if record["serverlessId"] == asked["serverlessId"]
            and asked["startTime"] <= record["startTime"] < asked["endTime"]
        ]
        return 200, {"records": found, "metadata": {"recordCount": len(found)}}

    def _serverless(self, method, rest, body):
        if not rest and method == "GET":
            return 200, {"endpoints": list(self.endpoints.values())}
        if not rest:
            return 201, self._create(body)
        if rest[0] not in self.endpoints:
            raise RefusedError(404, "resource not found")
        if method == "PATCH":
            self._change(self.endpoints[rest[0]], body)
        return 200, self.endpoints[rest[0]]

    def _create(self, body):
        missing = {"name", "type", "scaling", "image"} - body.keys()
        if missing:
            raise RefusedError(422, "Request validation failed.", f"missing {sorted(missing)}")
        defaults = {
            "id": f"ep{next(self._numbers)}",
            "type": body.pop("type"),
            "args": "",
            "disk": 20,
            "ports": [],
            "env": {},
            "registry": None,
            "gpu": {
                "count": 1,
                "excludedTypes": [],
                "allowedCudaVersions": [],
                "minCudaVersion": None,
            },
            "workers": {"min": 0, "max": 3, "idleTimeout": 10},
            "scaling": {},
            "dataCenterIds": [],
            "networkVolumes": [],
            "timeout": 300_000,
            "flashboot": "OFF",
            "createdAt": "2026-06-01T12:00:00Z",
        }
        self._change(defaults, body)
        self.endpoints[defaults["id"]] = defaults
        return defaults

    def _change(self, endpoint, body):
        self._check(endpoint, body)
        self.changes.append(body)
        for name, value in body.items():
            if name == "gpu" and "pools" in value:
                endpoint["gpu"]["excludedTypes"] = []
            if name in {"gpu", "workers"}:
                endpoint[name].update(value)
            else:
                endpoint[name] = value

    def _check(self, endpoint, body):
        unknown = [name for name in body if name not in FIELDS]
        for name, allowed in NESTED.items():
            unknown += [f"{name}.{part}" for part in body.get(name, {}) if part not in allowed]
        if unknown:
            raise RefusedError(422, "Request validation failed.", f"not allowed: {unknown}")
        scaling = body.get("scaling") or endpoint["scaling"]
        if scaling["type"] == "REQUEST_COUNT" and "idleTimeout" in body.get("workers", {}):
            raise RefusedError(422, "idleTimeout does not apply")
        pools = body.get("gpu", {}).get("pools", [])
        for id_ in body.get("gpu", {}).get("excludedTypes", []):
            if GPUS.get(id_) not in pools:
                raise RefusedError(400, f"{id_} is in none of the pools")
