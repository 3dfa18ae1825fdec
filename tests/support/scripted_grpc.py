"""A stand-in for a Qdrant server's gRPC side: enough to make a collection, store points and look them up.

It shows that addresses, keys, conversions and statuses work over gRPC; `fail` is raised by the next upsert.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import grpc
from qdrant_client import grpc as proto
from qdrant_client.grpc.collections_service_pb2_grpc import CollectionsServicer, add_CollectionsServicer_to_server
from qdrant_client.grpc.points_service_pb2_grpc import PointsServicer, add_PointsServicer_to_server


class ScriptedGrpc(CollectionsServicer, PointsServicer):
    """Listens on a free port of the loopback; `url` says where."""

    def __init__(self, api_key: str = "", pair: tuple[bytes, bytes] | None = None) -> None:
        self.api_key = api_key
        self.pair = pair  # private key and certificate: then it speaks TLS
        self.made: Any = None
        self.indexes: list[str] = []
        self.points: dict[str, Any] = {}
        self.fail: list[grpc.StatusCode] = []
        self.statuses: list[Any] = []
        self.levels: list[Any] = []  # the read consistency of each retrieval

    def __enter__(self) -> ScriptedGrpc:
        self._server = grpc.server(ThreadPoolExecutor(2))
        add_CollectionsServicer_to_server(self, self._server)
        add_PointsServicer_to_server(self, self._server)
        if self.pair:
            self.port = self._server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([self.pair]))
        else:
            self.port = self._server.add_insecure_port("127.0.0.1:0")
        self.url = f"grpc://127.0.0.1:{self.port}"
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(None).wait()

    def CollectionExists(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._judge(context)
        return proto.CollectionExistsResponse(result=proto.CollectionExists(exists=self.made is not None))

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.made = request
        return proto.CollectionOperationResponse(result=True)

    def Get(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Describe a collection or retrieve points: both services have a Get."""
        if isinstance(request, proto.GetPoints):
            self.levels.append(request.read_consistency.type if request.HasField("read_consistency") else None)
            found = [self.points[point.uuid] for point in request.ids if point.uuid in self.points]
            return proto.GetResponse(result=[proto.RetrievedPoint(id=p.id, payload=p.payload) for p in found])
        made = self.made
        params = proto.CollectionParams(vectors_config=made.vectors_config)
        params.sparse_vectors_config.CopyFrom(made.sparse_vectors_config)
        hnsw = proto.HnswConfigDiff(m=16, ef_construct=100, full_scan_threshold=10_000)
        optimizers = proto.OptimizersConfigDiff(
            deleted_threshold=0.2, vacuum_min_vector_number=1000, default_segment_number=0, flush_interval_sec=5
        )
        wal = proto.WalConfigDiff(wal_capacity_mb=32, wal_segments_ahead=0)
        config = proto.CollectionConfig(
            params=params, metadata=made.metadata, hnsw_config=hnsw, optimizer_config=optimizers, wal_config=wal
        )
        schema = {key: proto.PayloadSchemaInfo(data_type=proto.PayloadSchemaType.Keyword) for key in self.indexes}
        described = proto.CollectionInfo(
            status=proto.CollectionStatus.Green,
            optimizer_status=proto.OptimizerStatus(ok=True),
            config=config,
            payload_schema=schema,
        )
        return proto.GetCollectionInfoResponse(result=described)

    def CreateFieldIndex(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.indexes.append(request.field_name)
        return self._done()

    def Upsert(self, request: Any, context: grpc.ServicerContext) -> Any:
        if self.fail:
            context.abort(self.fail.pop(0), "as told")
        assert request.wait
        self.points.update({point.id.uuid: point for point in request.points})
        return self._done()

    def Count(self, request: Any, context: grpc.ServicerContext) -> Any:
        return proto.CountResponse(result=proto.CountResult(count=len(self.points)))

    def _done(self) -> Any:
        status = self.statuses.pop(0) if self.statuses else proto.UpdateStatus.Completed
        return proto.PointsOperationResponse(result=proto.UpdateResult(operation_id=1, status=status))

    def _judge(self, context: grpc.ServicerContext) -> None:
        sent = dict(context.invocation_metadata()).get("api-key", "")
        if self.api_key and sent != self.api_key:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "Must provide an API key")
