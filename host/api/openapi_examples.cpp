#include "api/openapi.hpp"

namespace dbackup::host::openapi {
namespace {

constexpr Example kExamples[] = {
    {"postAdapters",
     R"({"name":"Orders DB","type":"database","adapterId":"postgres",
         "config":{"host":"db1.example.net","port":5432,"user":"backup","password":"secret","database":"orders"}})",
     nullptr},
    {"postJobs",
     R"({"name":"Orders nightly","schedule":"30 1 * * *","sourceId":"d1b0c7a2-5a0e-4a57-9a53-3c1c6a1f9f10",
         "databases":["orders"],"compression":"ZSTD",
         "destinations":[{"configId":"e2f4a1d8-9f0b-4b43-8f0a-0d9a5a0f7b21","retention":{"mode":"SIMPLE","simple":{"keepCount":14}}}]})",
     nullptr},
    {"postJobsByIdRun", R"({"lock":false,"labels":{"release":"2026.3","build":"1187"}})",
     R"({"success":true,"executionId":"6f0c0c52-8b0e-4d2f-9a37-3f5d5f6a1b11","message":"Job queued"})"},
    {"getExecutionsById", nullptr,
     R"({"success":true,"data":{"id":"6f0c0c52-8b0e-4d2f-9a37-3f5d5f6a1b11",
         "jobId":"91ab5a0e-4a57-9a53-8c1c-6a1f9f10d1b0","jobName":"Orders nightly","type":"Backup","status":"Success",
         "progress":100,"stage":"Completed","startedAt":"2026-03-09T01:30:00.113Z","endedAt":"2026-03-09T01:30:41.902Z",
         "duration":41789,"size":734003200,"path":"Orders nightly/Orders nightly_2026-03-09_01-30-00.dump.zst","error":null}})"},
    {"postStorageByIdDownloadUrl",
     R"({"file":"Orders nightly/Orders nightly_2026-03-09_01-30-00.dump.zst"})",
     R"({"success":true,"url":"https://backup.example.net/api/storage/public-download?token=3f5d5f6a1b11","expiresIn":"5 minutes","singleUse":true})"},
    {"postStorageByIdRestore",
     R"({"file":"Orders nightly/Orders nightly_2026-03-09_01-30-00.dump.zst",
         "targetSourceId":"d1b0c7a2-5a0e-4a57-9a53-3c1c6a1f9f10","targetDatabaseName":"orders_restored"})",
     R"({"success":true,"executionId":"c3d40c52-8b0e-4d2f-9a37-3f5d5f6a1b11","message":"Restore queued"})"},
    {"postStorageByIdVerify",
     R"({"file":"Orders nightly/Orders nightly_2026-03-09_01-30-00.dump.zst"})",
     R"({"success":true,"data":{"status":"passed","verifiedAt":"2026-03-09T06:00:00.000Z"}})"},
    {"postApiKeys",
     R"({"name":"CI","permissions":["jobs:execute","history:read"],"expiresAt":"2027-01-01T00:00:00.000Z"})",
     nullptr},
    {"postEncryptionProfiles",
     R"({"name":"Nightly","description":"opened by the operators","writeOnly":false})", nullptr},
    {"getHealth", nullptr,
     R"({"status":"healthy","uptime":86412,"timestamp":"2026-03-09T06:00:00.000Z","database":"connected",
         "memory":{"rss":61,"heapUsed":22,"heapTotal":30},"responseTime":1})"},
};

}  // namespace

std::span<const Example> examples() noexcept { return kExamples; }

}  // namespace dbackup::host::openapi
