#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <memory>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "base/json.hpp"
#include "cli/command.hpp"
#include "cli/instance.hpp"
#include "crypto/password.hpp"
#include "crypto/token.hpp"
#include "services/account_rules.hpp"
#include "services/audit_log.hpp"
#include "store/session_store.hpp"
#include "store/user_store.hpp"

namespace dbackup::host {
namespace {

struct UserArguments {
  InstanceOptions instance;
  std::string name, email, group;
  bool generate = false;
  bool json = false;
};

/// Typed characters are not shown while it lives.
class Silence {
 public:
  Silence() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    is_on_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  ~Silence() {
    if (is_on_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  termios before_{};
  bool is_on_ = false;
};

/// From the first line of standard input: never from the command line, which others can see.
SecretString read_password() {
  std::string line;
  if (::isatty(STDIN_FILENO) == 1) {
    const Silence silence;
    std::fprintf(stderr, "Password: ");
    std::getline(std::cin, line);
    std::fprintf(stderr, "\n");
  } else {
    std::getline(std::cin, line);
  }
  return SecretString{std::move(line)};
}

SecretString chosen_password(const UserArguments& arguments) {
  SecretString password = arguments.generate ? random_token(12) : read_password();
  check_password(password);
  return password;
}

Principal console() { return {.name = "console"}; }

void show(const User& user, const UserArguments& arguments, const SecretString& password) {
  if (arguments.json) {
    Json out{
        {"id", user.id}, {"name", user.name}, {"email", user.email}, {"group", user.group_name}};
    if (arguments.generate) out["password"] = std::string{password.reveal()};
    std::printf("%s\n", dump_json(out).c_str());
    return;
  }
  if (arguments.generate) std::printf("%s\n", std::string{password.reveal()}.c_str());
  std::fprintf(stderr, "%s (%s) %s\n", user.name.c_str(), user.email.c_str(),
               user.group_name.empty() ? "has no group, so no access yet"
                                       : ("is in the group " + user.group_name).c_str());
}

int create(const UserArguments& arguments) {
  User user{.id = new_uuid(), .name = arguments.name, .email = checked_email(arguments.email)};
  const SecretString password = chosen_password(arguments);
  const SystemClock clock;
  user.created_at = user.updated_at = clock.now_ms();
  user.password_hash = hash_password(password);
  const Instance instance = Instance::open(arguments.instance);
  const AuditLog audit{*instance.database, clock};
  instance.database->write([&](Session& session) {
    lock_users(session);
    if (arguments.group == kSuperAdmin) ensure_super_admin(session, user.created_at);
    if (!arguments.group.empty()) {
      const auto group = GroupStore{}.find_by_name(session, arguments.group);
      if (!group)
        throw Error(ErrorCode::NotFound, "there is no group named \"" + arguments.group + "\"");
      user.group_id = group->id;
      user.group_name = group->name;
    }
    if (UserStore{}.find_by_email(session, user.email))
      throw Error(ErrorCode::AlreadyExists, "there is an account with this e-mail address already");
    UserStore{}.insert(session, user);
    audit.write(session, console(), AuditAction::Create, AuditResource::User, user.id,
                {{"name", user.name}, {"email", user.email}, {"group", user.group_name}});
  });
  show(user, arguments, password);
  return kExitOk;
}

int reset_password(const UserArguments& arguments) {
  const std::string email = checked_email(arguments.email);
  const SecretString password = chosen_password(arguments);
  const std::string hash = hash_password(password);
  const Instance instance = Instance::open(arguments.instance);
  const SystemClock clock;
  const AuditLog audit{*instance.database, clock};
  User user;
  instance.database->write([&](Session& session) {
    auto found = UserStore{}.find_by_email(session, email);
    if (!found)
      throw Error(ErrorCode::NotFound, "no user has the e-mail address \"" + email + "\"");
    user = std::move(*found);
    user.password_hash = hash;
    user.updated_at = clock.now_ms();
    // Whoever lost the password mostly lost the second factor with it.
    user.two_factor_enabled = false;
    user.sealed_totp_secret.clear();
    user.backup_codes.clear();
    user.failed_codes = 0;
    user.locked_until = 0;
    UserStore{}.update(session, user);
    SessionStore{}.remove_others(session, user.id, "");
    TwoFactorTokenStore{}.remove_of_user(session, user.id);
    audit.write(session, console(), AuditAction::Update, AuditResource::User, user.id,
                {{"password", "reset"}, {"twoFactor", "off"}});
  });
  show(user, arguments, password);
  std::fprintf(stderr, "All their sessions ended; the second factor is off.\n");
  return kExitOk;
}

int list(const UserArguments& arguments) {
  const Instance instance = Instance::open(arguments.instance);
  std::vector<User> users;
  instance.database->read([&](Session& session) { users = UserStore{}.list(session); });
  Json out = Json::array();
  for (const User& user : users) {
    if (!arguments.json) {
      std::printf("%s  %s  %s  %s\n", user.id.c_str(), user.email.c_str(),
                  user.group_name.empty() ? "(no group)" : user.group_name.c_str(),
                  user.name.c_str());
      continue;
    }
    out.push_back({{"id", user.id},
                   {"name", user.name},
                   {"email", user.email},
                   {"group", user.group_name},
                   {"twoFactor", user.two_factor_enabled},
                   {"createdAt", format_iso8601(user.created_at)}});
  }
  if (arguments.json) std::printf("%s\n", dump_json(out).c_str());
  return kExitOk;
}

}  // namespace

void add_user_command(CLI::App& program, CommandBody& chosen) {
  auto arguments = std::make_shared<UserArguments>();
  CLI::App* user = program.add_subcommand("user", "create and list users, reset a password");
  user->require_subcommand(1);
  const auto with_password = [arguments](CLI::App& command) {
    add_instance_options(command, arguments->instance);
    command.add_option("--email", arguments->email, "e-mail address, by which the user signs in")
        ->required();
    command.add_flag("--generate", arguments->generate,
                     "make a password and print it; else it is read from standard input");
    command.add_flag("--json", arguments->json, "print a JSON object");
  };

  CLI::App* make =
      user->add_subcommand("create", "make a user; the password is read from standard input");
  with_password(*make);
  make->add_option("--name", arguments->name, "name of the user")->required();
  make->add_option("--group", arguments->group,
                   "group of the user, for example SuperAdmin; none: no access");
  make->callback([=, &chosen] { chosen = [=] { return create(*arguments); }; });

  CLI::App* reset =
      user->add_subcommand("reset-password", "a new password; sessions and second factor end");
  with_password(*reset);
  reset->callback([=, &chosen] { chosen = [=] { return reset_password(*arguments); }; });

  CLI::App* show_all = user->add_subcommand("list", "show every user");
  add_instance_options(*show_all, arguments->instance);
  show_all->add_flag("--json", arguments->json, "print a JSON array");
  show_all->callback([=, &chosen] { chosen = [=] { return list(*arguments); }; });
}

}  // namespace dbackup::host
