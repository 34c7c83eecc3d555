#pragma once

#include "protocol/message.hpp"
#include "worker/operations/operation_context.hpp"

/// The operations, one file each; protocol/message.hpp says what each takes and answers.
namespace dbackup::host {

Json describe(const protocol::DescribeRequest& request, OperationContext& context);
Json test_adapter(const protocol::AdapterRequest& request, OperationContext& context);
Json ping_adapter(const protocol::AdapterRequest& request, OperationContext& context);
Json list_databases(const protocol::AdapterRequest& request, OperationContext& context);
Json database_stats(const protocol::AdapterRequest& request, OperationContext& context);
Json list_tables(const protocol::TablesRequest& request, OperationContext& context);
Json read_rows(const protocol::RowsRequest& request, OperationContext& context);
Json browse(const protocol::BrowseRequest& request, OperationContext& context);
Json test_ssh(const protocol::SshRequest& request, OperationContext& context);
Json list_remote(const protocol::SshRequest& request, OperationContext& context);
Json prepare_restore(const protocol::PrepareRestoreRequest& request, OperationContext& context);
Json cleanup_restore(const protocol::CleanupRestoreRequest& request, OperationContext& context);
Json backup(const protocol::BackupRequest& request, OperationContext& context);
Json archive_contents(const protocol::FetchRequest& request, OperationContext& context);
Json restore(const protocol::RestoreRequest& request, OperationContext& context);
Json list_files(const protocol::ListRequest& request, OperationContext& context);
Json fetch(const protocol::FetchRequest& request, OperationContext& context);
Json stat_file(const protocol::PathRequest& request, OperationContext& context);
Json remove_files(const protocol::RemoveRequest& request, OperationContext& context);
Json verify(const protocol::PathRequest& request, OperationContext& context);
Json cleanup(const protocol::CleanupRequest& request, OperationContext& context);
Json write_sidecar(const protocol::WriteSidecarRequest& request, OperationContext& context);
Json notify(const protocol::NotifyRequest& request, OperationContext& context);

}  // namespace dbackup::host
