#include "protocol/message_json.hpp"
#include "worker/operations/operations.hpp"

namespace dbackup::host {
namespace {

template <class Body>
Json run(Json (*operation)(const Body&, OperationContext&), const Json& body,
         OperationContext& context) {
  return operation(protocol::body_as<Body>(body), context);
}

}  // namespace

Json run_operation(const protocol::Request& request, OperationContext& context) {
  using protocol::Operation;
  const Json& body = request.body;
  switch (request.op) {
    case Operation::Describe:
      return run(&describe, body, context);
    case Operation::Test:
      return run(&test_adapter, body, context);
    case Operation::Ping:
      return run(&ping_adapter, body, context);
    case Operation::ListDatabases:
      return run(&list_databases, body, context);
    case Operation::DatabaseStats:
      return run(&database_stats, body, context);
    case Operation::Tables:
      return run(&list_tables, body, context);
    case Operation::Rows:
      return run(&read_rows, body, context);
    case Operation::Browse:
      return run(&browse, body, context);
    case Operation::TestSsh:
      return run(&test_ssh, body, context);
    case Operation::ListRemote:
      return run(&list_remote, body, context);
    case Operation::PrepareRestore:
      return run(&prepare_restore, body, context);
    case Operation::CleanupRestore:
      return run(&cleanup_restore, body, context);
    case Operation::Backup:
      return run(&backup, body, context);
    case Operation::Restore:
      return run(&restore, body, context);
    case Operation::List:
      return run(&list_files, body, context);
    case Operation::Fetch:
      return run(&fetch, body, context);
    case Operation::Stat:
      return run(&stat_file, body, context);
    case Operation::Remove:
      return run(&remove_files, body, context);
    case Operation::Verify:
      return run(&verify, body, context);
    case Operation::Cleanup:
      return run(&cleanup, body, context);
    case Operation::ArchiveContents:
      return run(&archive_contents, body, context);
    case Operation::WriteSidecar:
      return run(&write_sidecar, body, context);
    case Operation::Notify:
      return run(&notify, body, context);
  }
  throw Error(ErrorCode::Unimplemented, "this worker does not know the operation");
}

}  // namespace dbackup::host
