// Tells of events by e-mail: a plain text and an HTML card, to one or several receivers.

#include <algorithm>
#include <array>
#include <dbackup/plugin.hpp>

#include "address.hpp"
#include "card.hpp"
#include "mime.hpp"
#include "smtp_session.hpp"

namespace {

using dbackup::Call;
using dbackup::Error;
using dbackup::ErrorCode;
using dbackup::Event;
namespace plugins = dbackup::plugins;
namespace email = dbackup::plugins::email;

constexpr dbackup::Option kOptions[] = {
    {.name = "host", .help = "Name or address of the SMTP server.", .required = true},
    {.name = "port",
     .type = "integer",
     .help = "Port: 587 for starttls, 465 for ssl, 25 between servers.",
     .fallback = "587",
     .minimum = 1,
     .maximum = 65535},
    {.name = "secure",
     .type = "choice",
     .help = "starttls: the connection is upgraded to TLS, and nothing is sent when the server "
             "cannot. ssl: TLS from the start. none: never TLS.",
     .fallback = "starttls",
     .choices = "none|ssl|starttls"},
    {.name = "user", .help = "Name to sign in with. Empty: no sign-in."},
    {.name = "password", .help = "Password to sign in with. Empty: no sign-in.", .secret = true},
    {.name = "from",
     .help = "Sender: \"backup@example.net\" or \"DBackup <backup@example.net>\".",
     .required = true},
    {.name = "to",
     .type = "string_or_list",
     .help = "Receivers: an address, several separated by commas, or a list.",
     .required = true},
    {.name = "tlsVerify",
     .type = "boolean",
     .help = "Check the server's certificate and name.",
     .fallback = "true"},
    {.name = "caCertificate",
     .type = "text",
     .help = "Certificates in PEM to check the server's against, in place of the system's."},
};

constexpr dbackup::AdapterInfo kInfo{.id = "email",
                                     .name = "Email (SMTP)",
                                     .options = kOptions,
                                     .credentials = {.primary = "SMTP", .primary_optional = true}};

constexpr size_t kMostSubject = 250;
constexpr size_t kMostText = 200'000;

email::Security security_of(const std::string& word) {
  if (word == "none") return email::Security::None;
  if (word == "ssl") return email::Security::Ssl;
  if (word == "starttls") return email::Security::StartTls;
  throw Error{ErrorCode::InvalidArgument, "\"secure\" must be none, ssl or starttls"};
}

std::string host_of(const dbackup::Config& config) {
  std::string host = config.required("host");
  // Goes into a URL: what could begin another part of it is no host.
  const bool is_host = std::ranges::all_of(host, [](unsigned char c) {
    return c > 0x20 && c != 0x7F &&
           std::string_view{"/@?#\\%<>\"'`{}|^"}.find(static_cast<char>(c)) ==
               std::string_view::npos;
  });
  if (!is_host) throw Error{ErrorCode::InvalidArgument, "\"host\" is not a name or address"};
  return host;
}

class Email final : public dbackup::Notifier {
 public:
  explicit Email(const dbackup::Config& config)
      : server_{.host = host_of(config),
                .port = static_cast<int>(config.integer_or("port", 587)),
                .security = security_of(config.text_or("secure", "starttls")),
                .verify = config.flag_or("tlsVerify", true),
                .ca_certificate = config.text("caCertificate"),
                .user = config.text("user"),
                .password = config.text("password")},
        from_{email::parse_address(config.required("from"), "from")},
        to_{email::parse_receivers(config)} {}

  dbackup::TestResult test(Call& call) override {
    deliver(call, {.type = "test",
                   .title = "DBackup connection test",
                   .message = "This is a connection test. No action is needed.",
                   .success = true,
                   .color = "#3b82f6",
                   .badge = "Test"});
    std::string list;
    for (const email::Address& address : to_) list += (list.empty() ? "" : ", ") + address.mailbox;
    return {.message = "SMTP connection verified. Test email sent to " + list};
  }

  dbackup::Rendering send(Call& call, const Event& event) override {
    return {.text = deliver(call, event), .format = "html"};
  }

 private:
  /// The card that was sent.
  std::string deliver(const Call& call, const Event& event) const {
    call.check_cancelled();
    const plugins::Message message = plugins::message_of(event, "DBackup Notification");
    const email::Mail mail{
        .from = from_,
        .to = to_,
        .subject = plugins::fitted(message.title, kMostSubject, plugins::Unit::Utf16),
        .text = plugins::fitted(message.text, kMostText, plugins::Unit::Utf16),
        .html = email::card_of(event, message)};
    std::vector<std::string> receivers;
    for (const email::Address& address : to_) receivers.push_back(address.mailbox);
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    email::send_mail(call, server_, from_.mailbox, receivers, email::mime_of(mail, now));
    return mail.html;
  }

  email::SmtpServer server_;
  email::Address from_;
  std::vector<email::Address> to_;
};

}  // namespace

DBACKUP_PLUGIN("org.dbackup.email", "Email", DBACKUP_SDK_VERSION, dbackup::notifier<Email>(kInfo))
