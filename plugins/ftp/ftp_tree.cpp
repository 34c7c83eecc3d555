#include "ftp_tree.hpp"

#include <charconv>
#include <ctime>

#include "listing.hpp"

namespace dbackup::ftp {
namespace {

using plugins::RemoteEntry;

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string absolute_root(const std::string& home, std::string prefix) {
  if (!prefix.starts_with('/')) prefix = (home.ends_with('/') ? home : home + "/") + prefix;
  while (prefix.ends_with('/')) prefix.pop_back();
  return prefix;
}

/// The line between "250-" and "250 " of an answer to MLST.
std::string_view fact_line(std::string_view text) {
  const size_t begin = text.find("\n ");
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin + 1);
  return text.substr(0, text.find('\n'));
}

/// What follows "213 ".
std::string_view value_of(const FtpReply& reply) {
  std::string_view text = reply.text;
  text.remove_prefix(std::min<size_t>(4, text.size()));
  return text.substr(0, text.find('\n'));
}

}  // namespace

FtpTree::FtpTree(const Call& call, const Login& login, std::unique_ptr<Link>& idle,
                 const std::string& prefix)
    : login_{login},
      idle_{idle},
      link_{idle ? std::move(idle) : std::make_unique<Link>()},
      session_{call, login, *link_},
      root_{absolute_root(session_.home(), prefix)} {}

std::string FtpTree::remote(const std::string& path) const {
  if (path.empty()) return root_.empty() ? "/" : root_;
  return root_ + "/" + path;
}

std::string FtpTree::shown(const std::string& path) const { return login_.server() + remote(path); }

bool FtpTree::is_folder(const std::string& absolute) {
  return session_.command("CWD " + absolute).ok();
}

void FtpTree::check_root() {
  const FtpReply reply = session_.command("CWD " + remote(""));
  if (reply.ok()) return;
  const Error refused = Session::refusal("cannot use \"" + shown("") + "\"", reply);
  if (refused.code() != ErrorCode::NotFound) throw refused;
  throw Error{ErrorCode::NotFound,
              "\"pathPrefix\" does not exist on " + login_.server() + ": no \"" + remote("") +
                  "\"; the first backup or a test makes it, the login begins in \"" +
                  session_.home() + "\"",
              reply.text};
}

std::optional<RemoteEntry> FtpTree::look_at(const std::string& absolute) {
  if (session_.lists_facts()) {
    const FtpReply reply = session_.command("MLST " + absolute);
    if (reply.ok()) {
      auto entry = parse_facts(fact_line(reply.text));
      if (!entry) {  // a folder that calls itself "cdir"
        entry = RemoteEntry{.kind = RemoteEntry::Kind::Folder};
      }
      entry->name = last_part(absolute);
      return entry;
    }
    if (reply.code == 550 || reply.code == 553) return std::nullopt;
    if (reply.code < 500 || reply.code > 504) {
      throw Session::refusal("cannot look at \"" + absolute + "\"", reply);
    }
  }
  const FtpReply size = session_.size(absolute);
  RemoteEntry out{.name = last_part(absolute)};
  if (size.code == 213) {
    const std::string_view text = value_of(size);
    std::from_chars(text.data(), text.data() + text.size(), out.size);
    const FtpReply time = session_.command("MDTM " + absolute);
    if (time.code == 213) out.modified_ms = parse_time_val(value_of(time)).value_or(0);
    return out;
  }
  if (size.code != 550 && size.code != 553 && (size.code < 500 || size.code > 504)) {
    throw Session::refusal("cannot look at \"" + absolute + "\"", size);
  }
  if (is_folder(absolute)) {
    out.kind = RemoteEntry::Kind::Folder;
    return out;
  }
  if (size.code == 550 || size.code == 553) return std::nullopt;
  // A server without SIZE shows a file in the list of its folder alone.
  std::optional<RemoteEntry> found;
  const size_t slash = absolute.rfind('/');
  session_.list(absolute.substr(0, slash + 1), [&](std::string_view line) {
    auto entry = parse_list_line(line, std::time(nullptr));
    if (entry && entry->name == out.name) found = std::move(entry);
  });
  return found;
}

std::optional<RemoteEntry> FtpTree::look(const std::string& path) { return look_at(remote(path)); }

bool FtpTree::each_entry(const std::string& folder,
                         const std::function<void(const RemoteEntry&)>& found) {
  const int64_t now = std::time(nullptr);
  return session_.list(remote(folder), [&](std::string_view line) {
    const auto entry = session_.lists_facts() ? parse_facts(line) : parse_list_line(line, now);
    // What is left out counts as gone.
    if (!entry && !session_.lists_facts() && !says_nothing(line)) {
      throw Error{ErrorCode::FailedPrecondition,
                  "a line of the list of \"" + shown(folder) + "\" cannot be read",
                  std::string{line}};
    }
    if (!entry || entry->name.empty() || entry->name == "." || entry->name == ".." ||
        entry->name.find('/') != std::string::npos) {
      return;
    }
    found(*entry);
  });
}

void FtpTree::make_folder(const std::string& path) {
  const std::string absolute = remote(path);
  const FtpReply reply = session_.command("MKD " + absolute);
  if (reply.ok() || is_folder(absolute)) return;
  throw Session::refusal("cannot make \"" + shown(path) + "\"", reply);
}

/// A folder with all its parents.
void FtpTree::make_whole(const std::string& absolute) {
  if (absolute.empty() || is_folder(absolute)) return;
  make_whole(absolute.substr(0, absolute.rfind('/')));
  const FtpReply reply = session_.command("MKD " + absolute);
  if (reply.ok() || is_folder(absolute)) return;
  throw Session::refusal("cannot make \"" + login_.server() + absolute + "\"", reply);
}

bool FtpTree::remove_empty_folder(const std::string& path) {
  return session_.command("RMD " + remote(path)).ok();
}

bool FtpTree::remove_file(const std::string& path) {
  const FtpReply reply = session_.command("DELE " + remote(path));
  if (reply.ok()) return true;
  const Error refused = Session::refusal("cannot remove \"" + shown(path) + "\"", reply);
  if (refused.code() != ErrorCode::NotFound) throw refused;
  // One code stands for "not there", "not yours" and "in use".
  if (!look(path)) return false;
  throw Error{ErrorCode::PermissionDenied, refused.what(), reply.text};
}

RemoteEntry FtpTree::upload(const std::string& temporary, Reader& in, uint64_t& sent) {
  make_whole(remote(plugins::kTemporaryFolder));
  sent = session_.store(remote(temporary), in, shown(temporary));
  // A data connection that closes is a complete file to the server, whatever was lost on the way:
  // only its size tells.
  const auto stored = look(temporary);
  if (!stored) {
    throw Error{ErrorCode::DataLoss, "\"" + shown(temporary) + "\" is gone after it was written"};
  }
  return *stored;
}

void FtpTree::commit(const std::string& temporary, const std::string& path, bool) {
  // Most servers let a rename take the place of a file, so it is looked for right before.
  if (look(path)) throw Error{ErrorCode::AlreadyExists, "\"" + shown(path) + "\" already exists"};
  const FtpReply reply = session_.rename(remote(temporary), remote(path));
  if (reply.ok()) return;
  throw Session::refusal("cannot name \"" + shown(path) + "\"", reply);
}

uint64_t FtpTree::download(const std::string& path, const plugins::RemotePart& part, Writer& out) {
  return session_.retrieve(remote(path), part, out, shown(path));
}

}  // namespace dbackup::ftp
