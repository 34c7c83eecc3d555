#include "worker/plugin/source_proxy.hpp"

namespace dbackup::host {
namespace {

void add_login(Json& request, const protocol::PrivilegedLogin& login) {
  if (login.user.empty()) return;
  request["privileged"] = {{"user", login.user}, {"password", login.password}};
}

}  // namespace

SourceProxy::SourceProxy(const protocol::AdapterRef& ref, Journal& journal, CancelToken cancel)
    : AdapterInstance{ref, DBACKUP_EXT_SOURCE, DBACKUP_SIZE_UP_TO(dbackup_source, restore), journal,
                      std::move(cancel)} {}

DumpAnswer SourceProxy::dump(const DumpOrder& order, ByteSink& out) {
  CallContext call = new_call();
  WriterBridge writer{call, out};
  const dbackup_status status = run(call, table().dump,
                                    {{"database", order.database},
                                     {"compressedByHost", order.compressed_by_host},
                                     {"options", order.options}},
                                    writer.raw());
  writer.rethrow();
  const Json answer = call.finish(status);
  try {
    return {.engine_version = get_string(answer, "engineVersion").value_or(""),
            .already_compressed = get_bool(answer, "alreadyCompressed").value_or(false)};
  } catch (const Error& error) {
    throw call.misbehaved("described its dump wrongly", error.what());
  }
}

void SourceProxy::restore(const RestoreOrder& order, ByteSource& in) {
  CallContext call = new_call();
  ReaderBridge reader{in};
  Json request{{"database", order.database},
               {"originalName", order.original_name},
               {"token", order.token},
               {"options", order.options}};
  add_login(request, order.privileged);
  const dbackup_status status = run(call, table().restore, request, reader.raw());
  reader.rethrow();
  call.finish(status);
}

void SourceProxy::list_databases(const std::function<void(const Json&)>& found) {
  const auto function =
      DBACKUP_HAS(dbackup_source, &table(), list_databases) ? table().list_databases : nullptr;
  ask_list(function, Json::object(), [&](const Json& item) {
    if (get_string(item, "name").value_or("").empty()) {
      throw Error(ErrorCode::Internal, library().label() + " listed a database without a name");
    }
    found(item);
  });
}

void SourceProxy::prepare_restore(const std::vector<std::string>& databases,
                                  const protocol::PrivilegedLogin& privileged) {
  if (!DBACKUP_HAS(dbackup_source, &table(), prepare_restore)) return;
  Json request{{"databases", databases}};
  add_login(request, privileged);
  ask(table().prepare_restore, request);
}

void SourceProxy::cleanup_restore(const std::string& database, const std::string& token,
                                  const protocol::PrivilegedLogin& privileged) {
  if (!DBACKUP_HAS(dbackup_source, &table(), cleanup_restore)) return;
  Json request{{"database", database}, {"token", token}};
  add_login(request, privileged);
  ask(table().cleanup_restore, request);
}

}  // namespace dbackup::host
