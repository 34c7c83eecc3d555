#include "restore_check.hpp"

namespace dbackup::redis {
namespace {

constexpr const char* kProbeKey = "dbackup-probe";
constexpr const char* kNoPayload = "x";  // too short for the version and checksum at its end

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
  Reply select;
  Reply restore;
  Reply flush;
  Reply function;
};

/// What removes the old content, by `plan`.
std::string_view flush_command(const RestorePlan& plan) {
  return plan.whole ? "FLUSHALL" : "FLUSHDB";
}

/// For users who may not run MULTI: the same, but for the flush, with payloads that no server
/// takes. A flush that is refused is noticed when nothing has been changed either.
Answers try_out(Client& client, const RestorePlan& plan) {
  Answers out;
  const auto about_rights = [](Reply reply) {  // and not about the payload
    const bool is_other = reply.is_error("ERR ") && !reply.is_unknown_command();
    return is_other || reply.is_error("BUSYKEY") ? Reply{} : reply;
  };
  out.select = about_rights(client.ask({"SELECT", std::to_string(plan.to_database)}));
  out.restore = about_rights(client.ask({"RESTORE", kProbeKey, "0", kNoPayload}));
  out.function = about_rights(client.ask({"FUNCTION", "RESTORE", kNoPayload}));
  return out;
}

Answers rehearse(Client& client, const RestorePlan& plan) {
  Answers out;
  Rehearsal rehearsal{client};
  if (!rehearsal.possible()) return try_out(client, plan);
  out.select = rehearsal.ask({"SELECT", std::to_string(plan.to_database)});
  out.restore = rehearsal.ask({"RESTORE", kProbeKey, "0", kNoPayload, "REPLACE"});
  out.flush = rehearsal.ask({flush_command(plan)});
  out.function = rehearsal.ask({"FUNCTION", "RESTORE", kNoPayload});
  return out;
}

}  // namespace

RestoreTarget check_restore(const Call& call, Client& client, const ServerInfo& info,
                            const RestorePlan& plan, const std::string& user) {
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
  const Answers answers = rehearse(client, plan);
  const std::string who = "user \"" + (user.empty() ? "default" : user) + "\"";
  if (is_refusal(answers.restore)) {
    throw Error{ErrorCode::PermissionDenied,
                "the server does not let " + who + " run RESTORE (+restore ~*); " +
                    steps_by_hand(client, info),
                answers.restore.text};
  }
  if (is_refusal(answers.select)) {
    throw Error{ErrorCode::PermissionDenied,
                "the server does not let " + who + " run SELECT (+select); grant it, or " +
                    steps_by_hand(client, info),
                answers.select.text};
  }
  const bool replaces = plan.mode == RestoreMode::ReplaceAll;
  if (replaces && is_refusal(answers.flush)) {
    throw Error{ErrorCode::PermissionDenied,
                "the server does not let " + who + " run " + std::string{flush_command(plan)} +
                    (plan.whole ? " (+flushall)" : " (+flushdb)") +
                    ", which \"restoreMode\" replace-all needs; grant it, choose merge, or " +
                    steps_by_hand(client, info),
                answers.flush.text};
  }
  const bool is_full = answers.restore.is_error("OOM");  // flushing makes room
  if (answers.restore.is_error() && !(is_full && replaces)) {
    throw error_of(answers.restore, "the server takes no restore now");
  }
  const bool functions_refused = is_refusal(answers.function);
  // Servers before 7 have no such command, and no backup that they take holds functions.
  if (plan.whole && answers.function.is_error("NOPERM")) {
    call.warning(who +
                 " may not run FUNCTION (+function): a backup that holds functions will be "
                 "refused");
  }
  return {.info = info, .may_restore_functions = !functions_refused};
}

int newest_rdb_version(Client& client, const ServerInfo& info) {
  // Even without functions, their dump ends with the version (two bytes) and a checksum (eight).
  constexpr size_t kEnd = 10;
  const Reply reply = client.ask({"FUNCTION", "DUMP"});
  if (reply.kind == Reply::Kind::Bulk && reply.text.size() >= kEnd) {
    const std::string_view end = std::string_view{reply.text}.substr(reply.text.size() - kEnd);
    return static_cast<unsigned char>(end[0]) | (static_cast<unsigned char>(end[1]) << 8);
  }
  return info.newest_rdb_version();  // there are no functions before 7, or they may not be asked
}

}  // namespace dbackup::redis
