#include "worker/plugin/exec_service.hpp"

#include "worker/plugin/remote_process.hpp"
#include "worker/plugin/side_file.hpp"
#include "worker/plugin/status.hpp"
#include "worker/plugin/tool_process.hpp"

namespace dbackup::host {
namespace {

constexpr uint64_t kMostAtOnce = 1U << 30;

Program& process_from(void* handle) noexcept { return *static_cast<Program*>(handle); }

/// The plugin gets a number; what it stands for is said when the call fails.
dbackup_status connection_failed(CallContext& call, const Error& error) noexcept {
  if (call.ssh() != nullptr && error.code() != ErrorCode::Cancelled &&
      error.reason() != "no_program") {
    call.remember(error);
  }
  return to_status(error.code());
}

ToolOrder parse_order(const Json& request) {
  ToolOrder order;
  if (auto argv = get_strings(request, "argv")) order.argv = std::move(*argv);
  if (const auto found = request.find("env"); found != request.end() && found->is_object()) {
    for (const auto& [name, value] : found->items()) {
      if (!value.is_string()) {
        throw Error(ErrorCode::InvalidArgument, "\"" + name + "\" of \"env\" must be a string");
      }
      order.environment[name] = value.get<std::string>();
    }
  }
  const std::string input = get_string(request, "stdin").value_or("none");
  if (input != "none" && input != "pipe") {
    throw Error(ErrorCode::InvalidArgument, "\"stdin\" must be none or pipe");
  }
  order.input = input == "pipe";
  const std::string output = get_string(request, "stdout").value_or("pipe");
  if (output == "collect") {
    order.output = ToolOrder::Output::Collect;
  } else if (output == "discard") {
    order.output = ToolOrder::Output::Discard;
  } else if (output != "pipe") {
    throw Error(ErrorCode::InvalidArgument, "\"stdout\" must be pipe, collect or discard");
  }
  return order;
}

std::unique_ptr<Program> start_program(CallContext& call, const Json& wanted) {
  if (const auto subsystem = get_string(wanted, "subsystem")) {
    if (call.ssh() == nullptr) {
      throw Error(ErrorCode::FailedPrecondition, "this adapter does not work over SSH");
    }
    return std::make_unique<RemoteProcess>(call, *call.ssh(), *subsystem);
  }
  const ToolOrder order = parse_order(wanted);
  if (call.ssh() != nullptr) return std::make_unique<RemoteProcess>(call, *call.ssh(), order);
  return std::make_unique<ToolProcess>(call, order);
}

dbackup_status start(void* ctx, dbackup_str request, void** process) noexcept {
  *process = nullptr;
  CallContext& call = CallContext::from(ctx);
  try {
    *process = call.adopt(start_program(call, parse_json(view(request), "program")));
    return DBACKUP_OK;
  } catch (...) {
    const Cause cause = current_cause();
    connection_failed(call, *cause);
    return call.fail(*cause);
  }
}

int64_t read_output(void* process, void* buffer, uint64_t size) noexcept {
  try {
    return static_cast<int64_t>(process_from(process).read(
        {static_cast<std::byte*>(buffer), static_cast<size_t>(std::min(size, kMostAtOnce))}));
  } catch (...) {
    return -int64_t{connection_failed(process_from(process).call(), *current_cause())};
  }
}

int64_t write_input(void* process, const void* data, uint64_t size) noexcept {
  try {
    if (size == 0) return 0;
    return static_cast<int64_t>(process_from(process).write(
        {static_cast<const std::byte*>(data), static_cast<size_t>(std::min(size, kMostAtOnce))}));
  } catch (...) {
    const Cause cause = current_cause();
    if (cause->code() == ErrorCode::Aborted)
      return -int64_t{DBACKUP_ABORTED};  // no fault of its own
    return -int64_t{connection_failed(process_from(process).call(), *cause)};
  }
}

dbackup_status wait_for_end(void* process, const dbackup_item_sink* sink) noexcept {
  Program& tool = process_from(process);
  try {
    const std::string text = dump_json(tool.wait());
    return sink->item(sink->ctx, borrow(text));
  } catch (...) {
    connection_failed(tool.call(), *current_cause());
    return tool.call().fail(*current_cause());
  }
}

void release(void* process) noexcept {
  if (process == nullptr) return;
  const Program& tool = process_from(process);
  tool.call().release(&tool);
}

/// Hands a file to the plugin, as long as it wants it or until the call ends.
template <class Make>
dbackup_status hand_out(CallContext& call, void** file, dbackup_str* path, Make&& make) noexcept {
  *file = nullptr;
  *path = {nullptr, 0};
  try {
    const SideFile* made = call.adopt(make());
    *file = const_cast<SideFile*>(made);
    *path = borrow(made->path());
    return DBACKUP_OK;
  } catch (...) {
    const Cause cause = current_cause();
    connection_failed(call, *cause);
    return call.fail(*cause);
  }
}

dbackup_status make_side_file(void* ctx, dbackup_str content, void** file,
                              dbackup_str* path) noexcept {
  CallContext& call = CallContext::from(ctx);
  return hand_out(call, file, path, [&] { return SideFile::holding(call, view(content)); });
}

dbackup_status make_staging_file(void* ctx, dbackup_str request, void** file,
                                 dbackup_str* path) noexcept {
  CallContext& call = CallContext::from(ctx);
  return hand_out(call, file, path, [&] {
    const Json wanted = parse_json(view(request), "staging file");
    return SideFile::on_disk(call, get_string(wanted, "suffix").value_or(""));
  });
}

void release_side_file(void* file) noexcept {
  if (file == nullptr) return;
  const auto* side_file = static_cast<const SideFile*>(file);
  side_file->call().release(side_file);
}

dbackup_status which(void* ctx, dbackup_str request, const dbackup_item_sink* sink) noexcept {
  CallContext& call = CallContext::from(ctx);
  try {
    const auto names = get_strings(parse_json(view(request), "programs"), "names");
    std::string all;
    if (call.ssh() != nullptr && names && !names->empty()) {
      const std::string text =
          dump_json({{"path", find_remote_program(call, *call.ssh(), *names)}});
      return sink->item(sink->ctx, borrow(text));
    }
    for (const std::string& name : names.value_or(std::vector<std::string>{})) {
      if (const std::string path = find_program(name, default_search_path()); !path.empty()) {
        const std::string text = dump_json({{"path", path}});
        return sink->item(sink->ctx, borrow(text));
      }
      all += (all.empty() ? "" : ", ") + name;
    }
    return call.fail(ErrorCode::NotFound, "none of these programs is installed: " + all);
  } catch (...) {
    const Cause cause = current_cause();
    if (cause->code() != ErrorCode::NotFound) connection_failed(call, *cause);
    return call.fail(*cause);
  }
}

constexpr dbackup_host_exec kTable{
    .struct_size = sizeof(dbackup_host_exec),
    .start = &start,
    .read = &read_output,
    .write = &write_input,
    .close_stdin = [](void* process) noexcept { process_from(process).close_input(); },
    .wait = &wait_for_end,
    .release = &release,
    .side_file = &make_side_file,
    .release_side_file = &release_side_file,
    .which = &which,
    .staging_file = &make_staging_file};

}  // namespace

const dbackup_host_exec* exec_service() noexcept { return &kTable; }

}  // namespace dbackup::host
