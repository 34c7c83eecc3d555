#include "webdav_tree.hpp"

#include "common/percent_encoding.hpp"
#include "multistatus.hpp"

namespace dbackup::webdav {
namespace {

using plugins::joined;
using plugins::RemoteEntry;

constexpr const char* kProperties =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
    "<propfind xmlns=\"DAV:\"><prop><resourcetype/><getcontentlength/><getlastmodified/></prop>"
    "</propfind>";

std::string content_of(const std::string& temporary) { return temporary + "/content"; }

/// As answers name it: without a slash at the end, nothing encoded.
std::string path_of(const std::string& url) {
  return percent_decode(without_slash(path_of_url(url)));
}

std::string inner(std::string prefix) {
  prefix = without_slash(prefix);
  prefix.erase(0, std::min(prefix.find_first_not_of('/'), prefix.size()));
  return prefix;
}

}  // namespace

WebdavTree::WebdavTree(const Call& call, const Login& login, std::unique_ptr<Link>& idle,
                       const std::string& prefix)
    : login_{login},
      idle_{idle},
      link_{idle ? std::move(idle) : std::make_unique<Link>()},
      session_{call, login, *link_},
      prefix_{inner(prefix)} {}

std::string WebdavTree::url(const std::string& path) const {
  std::string out = login_.url;
  for (const std::string& part : {prefix_, path}) {
    if (!part.empty()) out += "/" + plugins::percent_encoded_path(part);
  }
  return out;
}

/// With a slash at the end: nginx tells collections by it, Apache would redirect.
std::string WebdavTree::folder_url(const std::string& path) const { return url(path) + "/"; }

std::string WebdavTree::shown(const std::string& path) const {
  std::string out = login_.url;
  for (const std::string& part : {prefix_, path}) {
    if (!part.empty()) out += "/" + part;
  }
  return out;
}

Answer WebdavTree::find_properties(const std::string& url, const char* depth) {
  return session_.request(
      "PROPFIND", url,
      {std::string{"Depth: "} + depth, "Content-Type: application/xml; charset=utf-8"},
      kProperties);
}

void WebdavTree::check_root() {
  const Answer answer = find_properties(folder_url(""), "0");
  if (answer.status == 404 && !prefix_.empty()) {
    throw Error{ErrorCode::NotFound, "\"pathPrefix\" does not exist: no \"" + shown("") +
                                         "\"; the first backup or a test makes it"};
  }
  if (answer.status != 207) throw session_.refusal("cannot use \"" + shown("") + "\"", answer);
  const std::string own = path_of(url(""));
  for (const Resource& resource : parse_multistatus(answer.body)) {
    if (resource.path == own) return;
  }
  throw other_paths();
}

/// Without its own path in the answer (RFC 4918, section 9.1) nothing in it can be told apart from
/// what lies elsewhere, and an empty list would mean that all is gone.
Error WebdavTree::other_paths() const {
  return Error{ErrorCode::FailedPrecondition,
               "the server names other paths than the one it was asked for; check \"url\" and "
               "\"pathPrefix\" of \"" +
                   shown("") + "\""};
}

std::optional<RemoteEntry> WebdavTree::look(const std::string& path) {
  const Answer answer = find_properties(url(path), "0");
  if (answer.status == 404) return std::nullopt;
  if (answer.status >= 300 && answer.status < 400 &&
      percent_decode(path_of_url(answer.location)) ==
          percent_decode(path_of_url(folder_url(path)))) {  // each spells it in its own way
    return RemoteEntry{.name = path.substr(path.rfind('/') + 1), .kind = RemoteEntry::Kind::Folder};
  }
  if (answer.status != 207)
    throw session_.refusal("cannot look at \"" + shown(path) + "\"", answer);
  auto found = parse_multistatus(answer.body);
  if (found.empty()) return std::nullopt;
  found.front().entry.name = path.substr(path.rfind('/') + 1);
  return found.front().entry;
}

bool WebdavTree::each_entry(const std::string& folder,
                            const std::function<void(const RemoteEntry&)>& found) {
  const Answer answer = find_properties(folder_url(folder), "1");
  if (answer.status == 404) return false;
  if (answer.status != 207) throw session_.refusal("cannot list \"" + shown(folder) + "\"", answer);
  const std::string own = path_of(url(folder));
  bool has_own = false;
  for (const Resource& resource : parse_multistatus(answer.body)) {
    // A file asked for as a folder answers for itself alone.
    if (resource.path == own) {
      if (resource.entry.kind != RemoteEntry::Kind::Folder) return false;
      has_own = true;
      continue;
    }
    if (resource.entry.name.empty() || plugins::parent_of(resource.path) != own) continue;
    found(resource.entry);
  }
  if (!has_own) throw other_paths();
  return true;
}

long WebdavTree::make(const std::string& path) {
  const Answer answer = session_.request("MKCOL", folder_url(path));
  // 405: there is something already (RFC 4918, section 9.3.1); 409: no parent.
  if (answer.ok() || answer.status == 405 || answer.status == 409 || answer.status == 404) {
    return answer.status;
  }
  throw session_.refusal("cannot make \"" + shown(path) + "\"", answer);
}

void WebdavTree::make_folder(const std::string& path) {
  const long status = make(path);
  if (status == 409 || status == 404) {
    throw Error{ErrorCode::NotFound, "cannot make \"" + shown(path) + "\": no folder to hold it"};
  }
}

/// The prefix, part by part.
void WebdavTree::make_root() {
  for (size_t slash = prefix_.find('/');; slash = prefix_.find('/', slash + 1)) {
    const std::string part = prefix_.substr(0, slash);
    if (part.empty()) return;
    const Answer answer =
        session_.request("MKCOL", login_.url + "/" + plugins::percent_encoded_path(part) + "/");
    if (!answer.ok() && answer.status != 405) {
      throw session_.refusal("cannot make \"" + login_.url + "/" + part + "\"", answer);
    }
    if (slash == std::string::npos) return;
  }
}

bool WebdavTree::remove_file(const std::string& path) {
  const Answer answer = session_.request("DELETE", url(path));
  if (answer.status == 404) return false;
  // 207: some of what was inside could not be removed (section 9.6.1).
  if (answer.ok() && answer.status != 207) return true;
  throw session_.refusal("cannot remove \"" + shown(path) + "\"", answer);
}

RemoteEntry WebdavTree::upload(const std::string& temporary, Reader& in, uint64_t& sent) {
  if (const long status = make(temporary); status == 409 || status == 404) {
    make_root();
    make_folder(plugins::parent_of(plugins::kTemporaryFolder));
    make_folder(plugins::kTemporaryFolder);
    make_folder(temporary);
  }
  const std::string content = content_of(temporary);
  const Answer answer = session_.put(url(content), in, sent);
  if (!answer.ok()) throw session_.refusal("cannot write \"" + shown(content) + "\"", answer);
  const auto stored = look(content);
  if (!stored) {
    throw Error{ErrorCode::DataLoss, "\"" + shown(content) + "\" is gone after it was written"};
  }
  return *stored;
}

void WebdavTree::commit(const std::string& temporary, const std::string& path, bool replace) {
  const Answer answer = session_.request(
      "MOVE", url(content_of(temporary)),
      {"Destination: " + url(path), std::string{"Overwrite: "} + (replace ? "T" : "F")});
  if (answer.ok() && answer.status != 207) return;
  if (answer.status == 412) {
    throw Error{ErrorCode::AlreadyExists, "\"" + shown(path) + "\" already exists"};
  }
  throw session_.refusal("cannot name \"" + shown(path) + "\"", answer);
}

bool WebdavTree::discard(const std::string& temporary) {
  const Answer answer = session_.request("DELETE", folder_url(temporary));
  if (answer.status == 404) return false;
  if (answer.ok() && answer.status != 207) return true;
  throw session_.refusal("cannot remove \"" + shown(temporary) + "\"", answer);
}

uint64_t WebdavTree::download(const std::string& path, const plugins::RemotePart& part,
                              Writer& out) {
  return session_.get(url(path), part, out, "cannot read \"" + shown(path) + "\"");
}

}  // namespace dbackup::webdav
