#include "worker/plugin/storage_proxy.hpp"

namespace dbackup::host {
namespace {

/// Passes on a part of what is written and ends the transfer when it has that part.
class RangeSink final : public ByteSink {
 public:
  RangeSink(ByteSink& target, uint64_t skip, std::optional<uint64_t> length)
      : target_{target}, skip_{skip}, left_{length} {}

  void write(Bytes bytes) override {
    if (complete()) throw Error(ErrorCode::Aborted, "the range is complete");
    const uint64_t skipped = std::min<uint64_t>(skip_, bytes.size());
    skip_ -= skipped;
    bytes = bytes.subspan(static_cast<size_t>(skipped));
    if (left_ && bytes.size() > *left_) bytes = bytes.first(static_cast<size_t>(*left_));
    if (bytes.empty()) return;
    target_.write(bytes);
    passed_ += bytes.size();
    if (left_) *left_ -= bytes.size();
  }
  void finish() override {}
  void abort(const Cause&) noexcept override {}

  bool complete() const noexcept { return left_ && *left_ == 0; }
  uint64_t passed() const noexcept { return passed_; }

 private:
  ByteSink& target_;
  uint64_t skip_;
  std::optional<uint64_t> left_;
  uint64_t passed_ = 0;
};

}  // namespace

StorageProxy::StorageProxy(const protocol::AdapterRef& ref, Journal& journal, CancelToken cancel)
    : AdapterInstance{ref, DBACKUP_EXT_STORAGE, DBACKUP_SIZE_UP_TO(dbackup_storage, cleanup),
                      journal, std::move(cancel)} {
  const Json descriptor = parse_json(adapter().descriptor_json, "descriptor");
  if (const auto found = descriptor.find("capabilities");
      found != descriptor.end() && found->is_object()) {
    ranged_get_ = get_bool(*found, "rangedGet").value_or(false);
    atomic_replace_ = get_bool(*found, "atomicReplace").value_or(false);
  }
}

StoredObject StorageProxy::put(const std::string& path, const std::string& token,
                               ByteSource& source) {
  return put({{"path", path}, {"token", token}}, source);
}

StoredObject StorageProxy::put(const Json& request, ByteSource& source) {
  CallContext call = new_call();
  ReaderBridge reader{source};
  const dbackup_status status = run(call, table().put, request, reader.raw());
  reader.rethrow();
  return parse_object(call.finish(status));
}

void StorageProxy::put_text(const std::string& path, const std::string& token,
                            std::string_view text, Existing existing) {
  TextSource source{text};
  Json request{{"path", path}, {"token", token}};
  if (existing == Existing::Replace) request["replace"] = true;
  const StoredObject stored = put(request, source);
  if (!source.reached_end() || stored.size != text.size()) {
    throw new_call().misbehaved("did not store \"" + path + "\" whole");
  }
}

uint64_t StorageProxy::get(const std::string& path, uint64_t offset, std::optional<uint64_t> length,
                           ByteSink& sink) {
  if (length && *length == 0) return 0;
  CallContext call = new_call();
  Json request{{"path", path}};
  if (ranged_get_) {
    request["offset"] = offset;
    if (length) request["length"] = *length;
  }
  // Also when the plugin reads ranges: one that gives more than asked for must not do harm.
  RangeSink range{sink, ranged_get_ ? 0 : offset, length};
  WriterBridge writer{call, range};
  const dbackup_status status = run(call, table().get, request, writer.raw());
  if (range.complete()) return range.passed();
  writer.rethrow();
  call.finish(status);
  return range.passed();
}

void StorageProxy::list(const std::string& prefix,
                        const std::function<void(const StoredObject&)>& found) {
  ask_list(table().list, {{"prefix", prefix}},
           [&](const Json& item) { found(parse_object(item)); });
}

void StorageProxy::browse(
    const std::string& path,
    const std::function<void(const std::string& name, const std::string& path)>& found) {
  const auto function = DBACKUP_HAS(dbackup_storage, &table(), browse) ? table().browse : nullptr;
  ask_list(function, {{"path", path}}, [&](const Json& item) {
    const std::string name = get_string(item, "name").value_or("");
    const std::string below = get_string(item, "path").value_or("");
    if (name.empty() || below.empty()) {
      throw Error(ErrorCode::Internal, library().label() + " listed a folder without a name");
    }
    found(name, below);
  });
}

std::optional<StoredObject> StorageProxy::stat(const std::string& path) {
  const Json answer = ask(table().stat, {{"path", path}});
  const auto exists = get_bool(answer, "exists");
  if (!exists) throw new_call().misbehaved("gave no \"exists\" for \"" + path + "\"");
  if (!*exists) return std::nullopt;
  const auto object = answer.find("object");
  if (object == answer.end()) throw new_call().misbehaved("gave no object for \"" + path + "\"");
  return parse_object(*object);
}

bool StorageProxy::remove(const std::string& path) {
  return get_bool(ask(table().remove, {{"path", path}}), "removed").value_or(false);
}

uint64_t StorageProxy::cleanup(const std::string& token) {
  const Json answer = ask(table().cleanup, {{"token", token}});
  return static_cast<uint64_t>(get_int(answer, "removed", 0).value_or(0));
}

StoredObject StorageProxy::parse_object(const Json& json) const {
  try {
    StoredObject object;
    object.path = require_string(json, "path");
    object.is_unreadable_folder = get_bool(json, "unreadable").value_or(false);
    if (object.is_unreadable_folder) return object;
    const auto size = get_int(json, "size", 0);
    if (!size) throw Error(ErrorCode::InvalidArgument, "\"size\" is missing");
    object.size = static_cast<uint64_t>(*size);
    object.modified_ms = get_int(json, "modifiedMs").value_or(0);
    object.storage_class = get_string(json, "storageClass").value_or("");
    object.sha256 = get_string(json, "sha256").value_or("");
    return object;
  } catch (const Error& error) {
    throw Error(ErrorCode::Internal, library().label() + " described an object wrongly",
                error.what());
  }
}

}  // namespace dbackup::host
