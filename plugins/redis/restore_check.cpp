#include "restore_check.hpp"

namespace dbackup::redis {
namespace {

constexpr const char* kProbeKey = "dbackup-probe";

/// What a person has to do where commands cannot do it.
std::string steps_by_hand(Client& client, const ServerInfo& info) {
  const auto folder = config_value(client, "dir");
  const auto name = config_value(client, "dbfilename");
  const std::string file = folder && name ? "\"" + *folder + "/" + *name + "\""
                                          : "the file that its settings dir and dbfilename name";
  std::string out = "to restore by hand: 1. stop the server; 2. copy the downloaded backup to " +
                    file + "; 3. give it to the account that the server runs as (chown); ";
  const auto log = config_value(client, "appendonly");
  if (!log || *log == "yes") {
    out +=
        "4. where appendonly is yes, move the append-only files away and start once with "
        "--appendonly no; 5. ";
  } else {
    out += "4. ";
  }
  return out + "start the server; " + info.product + " loads the file";
}

bool is_refusal(const Reply& reply) {
  return reply.is_error("NOPERM") || reply.is_unknown_command();
}

/// How the server answers a command without running it: it is queued in a transaction that is then
/// discarded. Rights and names are looked at when a command is queued.
class Rehearsal {
 public:
  explicit Rehearsal(Client& client) : client_{client} {
    possible_ = !client_.ask({"MULTI"}).is_error();
  }
  ~Rehearsal() {
    if (!possible_) return;
    try {
      client_.ask({"DISCARD"});
    } catch (...) {  // the connection is gone, and the transaction with it
    }
  }
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;

  bool possible() const noexcept { return possible_; }
  Reply ask(std::initializer_list<std::string_view> words) { return client_.ask(words); }

 private:
  Client& client_;
  bool possible_ = false;
};

struct Answers {
  Reply restore;
  Reply flush;
  Reply function;
};

Answers rehearse(const Call& call, Client& client) {
  Answers out;
  Rehearsal rehearsal{client};
  if (!rehearsal.possible()) {
    call.warning("the user may not run MULTI: what a restore needs cannot be checked beforehand");
    return out;
  }
  out.restore = rehearsal.ask({"RESTORE", kProbeKey, "0", "x", "REPLACE"});
  out.flush = rehearsal.ask({"FLUSHALL"});
  out.function = rehearsal.ask({"FUNCTION", "RESTORE", "x"});
  return out;
}

}  // namespace

void check_restore(const Call& call, Client& client, const ServerInfo& info, RestoreMode mode,
                   const std::string& user) {
  if (info.loading) {
    throw Error{ErrorCode::Unavailable, client.where() + " is still loading its own data"};
  }
  if (info.in_cluster) {
    throw Error{ErrorCode::FailedPrecondition,
                client.where() +
                    " is a node of a cluster, which holds only some of the keys; restore "
                    "into a server of its own and move the keys from there"};
  }
  if (info.role == "slave") {
    throw Error{ErrorCode::FailedPrecondition,
                client.where() + " is a replica: restore on its master"};
  }
  const Answers answers = rehearse(call, client);
  const std::string who = "user \"" + (user.empty() ? "default" : user) + "\"";
  if (is_refusal(answers.restore)) {
    throw Error{ErrorCode::PermissionDenied,
                "the server does not let " + who + " run RESTORE (+restore ~*); " +
                    steps_by_hand(client, info),
                answers.restore.text};
  }
  if (mode == RestoreMode::ReplaceAll && is_refusal(answers.flush)) {
    throw Error{ErrorCode::PermissionDenied,
                "the server does not let " + who +
                    " run FLUSHALL (+flushall), which \"restoreMode\" "
                    "replace-all needs; grant it, choose merge, or " +
                    steps_by_hand(client, info),
                answers.flush.text};
  }
  const bool is_full = answers.restore.is_error("OOM");  // flushing makes room
  if (answers.restore.is_error() && !(is_full && mode == RestoreMode::ReplaceAll)) {
    throw error_of(answers.restore, "the server takes no restore now");
  }
  if (answers.function.is_error("NOPERM")) {
    call.warning(who +
                 " may not run FUNCTION (+function): a backup that holds functions cannot be "
                 "restored");
  }
}

int newest_rdb_version(Client& client, const ServerInfo& info) {
  // Even without functions, their dump ends with the version (two bytes) and a checksum (eight).
  constexpr size_t kEnd = 10;
  const Reply reply = client.ask({"FUNCTION", "DUMP"});
  if (reply.kind == Reply::Kind::Bulk && reply.text.size() >= kEnd) {
    const std::string_view end = std::string_view{reply.text}.substr(reply.text.size() - kEnd);
    return static_cast<unsigned char>(end[0]) | (static_cast<unsigned char>(end[1]) << 8);
  }
  if (info.is_valkey()) return 0;
  switch (info.major()) {  // 7 and later differ within the number, and can be asked
    case 5:
    case 6:
      return 9;
    case 4:
      return 8;
    case 3:
      return info.version.starts_with("3.0") ? 6 : 7;
    case 2:
      return 6;
    default:
      return 0;
  }
}

}  // namespace dbackup::redis
