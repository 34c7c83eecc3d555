#include "worker/ssh/ssh_auth.hpp"

#include <cstdlib>

#include "base/error.hpp"
#include "worker/ssh/ssh_wait.hpp"

namespace dbackup::host::ssh {
namespace {

/// A key that wants a passphrase which is not given must fail, not ask the terminal.
int no_passphrase(const char*, char*, size_t, int, int, void*) { return -1; }

std::string method_name(const Login& login) {
  switch (login.method) {
    case Login::Method::PrivateKey:
      return "the private key";
    case Login::Method::Agent:
      return "the keys of the SSH agent";
    default:
      return "the password";
  }
}

class LogIn {
 public:
  LogIn(ssh_session session, const Login& login, const Patience& patience)
      : session_{session}, login_{login}, patience_{patience} {}

  int run() {
    const int open = repeat([&] { return ssh_userauth_none(session_, nullptr); });
    if (open == SSH_AUTH_SUCCESS) return open;
    switch (login_.method) {
      case Login::Method::PrivateKey:
        return with_second_factor(by_key());
      case Login::Method::Agent:
        return with_second_factor(by_agent());
      default:
        return by_password();
    }
  }

 private:
  template <class Call>
  int repeat(Call&& call) {
    return until_done(session_, patience_, SSH_AUTH_AGAIN, std::forward<Call>(call));
  }

  int by_key() {
    const KeyHandle key = read_private_key(login_);
    return repeat([&] { return ssh_userauth_publickey(session_, nullptr, key.get()); });
  }

  int by_agent() {
    const char* socket = std::getenv("SSH_AUTH_SOCK");
    if (socket == nullptr || *socket == '\0') {
      throw Error(ErrorCode::FailedPrecondition,
                  "there is no SSH agent: the server runs without SSH_AUTH_SOCK");
    }
    return repeat([&] { return ssh_userauth_agent(session_, nullptr); });
  }

  /// The server accepted the key and wants the password too.
  int with_second_factor(int rc) {
    const bool can = rc == SSH_AUTH_PARTIAL && !login_.password.reveal().empty();
    return can ? by_password() : rc;
  }

  int by_password() {
    const int methods = ssh_userauth_list(session_, nullptr);
    int rc = SSH_AUTH_DENIED;
    if ((methods & static_cast<int>(SSH_AUTH_METHOD_PASSWORD)) != 0) {
      rc =
          repeat([&] { return ssh_userauth_password(session_, nullptr, secret(login_.password)); });
    }
    const bool may_ask = (methods & static_cast<int>(SSH_AUTH_METHOD_INTERACTIVE)) != 0;
    return rc == SSH_AUTH_DENIED && may_ask ? by_questions() : rc;
  }

  /// Every question that hides its answer is taken to be for the password; asked twice means wrong.
  int by_questions() {
    bool answered = false;
    int rc = repeat([&] { return ssh_userauth_kbdint(session_, nullptr, nullptr); });
    while (rc == SSH_AUTH_INFO) {
      const int questions = ssh_userauth_kbdint_getnprompts(session_);
      if (questions > 0 && answered) return SSH_AUTH_DENIED;
      for (int i = 0; i < questions; ++i) {
        char echo = 0;
        const auto number = static_cast<unsigned>(i);
        ssh_userauth_kbdint_getprompt(session_, number, &echo);
        ssh_userauth_kbdint_setanswer(session_, number, echo != 0 ? "" : secret(login_.password));
        answered = true;
      }
      rc = repeat([&] { return ssh_userauth_kbdint(session_, nullptr, nullptr); });
    }
    return rc;
  }

  static const char* secret(const SecretString& text) { return text.reveal().data(); }

  ssh_session session_;
  const Login& login_;
  const Patience& patience_;
};

}  // namespace

KeyHandle read_private_key(const Login& login) {
  // Copied from a form: lines may end in CR LF, the last one without an end.
  std::string text;
  for (const char c : login.private_key.reveal()) {
    if (c != '\r') text += c;
  }
  text.erase(0, std::min(text.find_first_not_of(" \t\n"), text.size()));
  text.erase(text.find_last_not_of(" \t\n") + 1);
  text += '\n';
  const auto passphrase = login.passphrase.reveal();
  ssh_key raw = nullptr;
  const int rc =
      ssh_pki_import_privkey_base64(text.c_str(), passphrase.empty() ? nullptr : passphrase.data(),
                                    &no_passphrase, nullptr, &raw);
  wipe(text);
  KeyHandle key{raw};
  if (rc != SSH_OK || !key) {
    throw Error(ErrorCode::InvalidArgument,
                passphrase.empty()
                    ? "the SSH private key cannot be read: its format is not known, or it needs a "
                      "passphrase"
                    : "the SSH private key cannot be read: its passphrase is wrong, or its format "
                      "is not known");
  }
  return key;
}

void log_in(ssh_session session, const Login& login, const Patience& patience) {
  const int rc = LogIn{session, login, patience}.run();
  if (rc == SSH_AUTH_SUCCESS) return;
  if (rc == SSH_AUTH_ERROR && ssh_is_connected(session) == 0) {
    throw Error(ErrorCode::Unavailable,
                "the SSH server " + login.server() +
                    " ended the connection during the login: " + ssh_get_error(session));
  }
  const std::string more = rc == SSH_AUTH_PARTIAL ? " alone: it wants more" : "";
  throw Error(ErrorCode::Unauthenticated,
              "the SSH server " + login.server() + " does not let \"" + login.user + "\" in with " +
                  method_name(login) + more,
              ssh_get_error(session));
}

}  // namespace dbackup::host::ssh
