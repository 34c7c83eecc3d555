#include "worker/plugin/exec_service.hpp"

#include "worker/plugin/side_file.hpp"
#include "worker/plugin/status.hpp"
#include "worker/plugin/tool_process.hpp"

namespace dbackup::host {
namespace {

constexpr uint64_t kMostAtOnce = 1U << 30;

ToolProcess& process_from(void* handle) noexcept { return *static_cast<ToolProcess*>(handle); }

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

dbackup_status start(void* ctx, dbackup_str request, void** process) noexcept {
  *process = nullptr;
  CallContext& call = CallContext::from(ctx);
  try {
    const Json wanted = parse_json(view(request), "program");
    if (wanted.contains("subsystem")) {
      throw Error(ErrorCode::FailedPrecondition, "this adapter does not work over SSH");
    }
    const ToolOrder order = parse_order(wanted);
    *process = call.adopt(std::make_unique<ToolProcess>(call, order));
    return DBACKUP_OK;
  } catch (...) {
    return call.fail(*current_cause());
  }
}

int64_t read_output(void* process, void* buffer, uint64_t size) noexcept {
  try {
    return static_cast<int64_t>(process_from(process).read(
        {static_cast<std::byte*>(buffer), static_cast<size_t>(std::min(size, kMostAtOnce))}));
  } catch (...) {
    return -int64_t{to_status(current_cause()->code())};
  }
}

int64_t write_input(void* process, const void* data, uint64_t size) noexcept {
  try {
    if (size == 0) return 0;
    return static_cast<int64_t>(process_from(process).write(
        {static_cast<const std::byte*>(data), static_cast<size_t>(std::min(size, kMostAtOnce))}));
  } catch (...) {
    return -int64_t{to_status(current_cause()->code())};
  }
}

dbackup_status wait_for_end(void* process, const dbackup_item_sink* sink) noexcept {
  ToolProcess& tool = process_from(process);
  try {
    const std::string text = dump_json(tool.wait());
    return sink->item(sink->ctx, borrow(text));
  } catch (...) {
    return tool.call().fail(*current_cause());
  }
}

void release(void* process) noexcept {
  if (process == nullptr) return;
  const ToolProcess& tool = process_from(process);
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
    return call.fail(*current_cause());
  }
}

dbackup_status make_side_file(void* ctx, dbackup_str content, void** file,
                              dbackup_str* path) noexcept {
  CallContext& call = CallContext::from(ctx);
  return hand_out(call, file, path,
                  [&] { return std::make_unique<SideFile>(call, view(content)); });
}

dbackup_status make_staging_file(void* ctx, dbackup_str, void** file, dbackup_str* path) noexcept {
  CallContext& call = CallContext::from(ctx);
  return hand_out(call, file, path, [&] { return SideFile::on_disk(call); });
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
    for (const std::string& name : names.value_or(std::vector<std::string>{})) {
      if (const std::string path = find_program(name, default_search_path()); !path.empty()) {
        const std::string text = dump_json({{"path", path}});
        return sink->item(sink->ctx, borrow(text));
      }
      all += (all.empty() ? "" : ", ") + name;
    }
    return call.fail(ErrorCode::NotFound, "none of these programs is installed: " + all);
  } catch (...) {
    return call.fail(*current_cause());
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
