#pragma once

#include <common/http_client.hpp>
#include <common/message_text.hpp>
#include <dbackup/plugin.hpp>
#include <optional>
#include <string>
#include <vector>

namespace dbackup::plugins::chat {

/// A service that takes a message by one HTTP request. The classes derived from it say what the
/// request is; this one sends it and obeys the answer:
///
/// - "too many requests" (429): waits as long as the service asks and sends again, as long as all
/// of
///   it stays within 20 s; otherwise fails naming the moment from which it may be tried again.
/// - no connection: tries once more, since nothing has left. Every other failure is final, a 5xx
/// too:
///   the message may have arrived, and nobody shall get it twice.
class Channel : public Notifier {
 public:
  TestResult test(Call& call) final;
  Rendering send(Call& call, const Event& event) final;

 protected:
  /// `secrets` are taken out of whatever the service's answers quote.
  Channel(std::string service, std::vector<std::string> secrets)
      : service_{std::move(service)}, secrets_{std::move(secrets)} {}

  virtual HttpRequest test_request() const = 0;
  virtual HttpRequest request_for(const Event& event) const = 0;
  virtual std::string test_answer() const { return "Test notification sent successfully!"; }
  /// Did the service take the message?
  virtual bool accepted(const HttpResponse& response) const { return response.ok(); }
  virtual bool rate_limited(const HttpResponse& response) const { return response.status == 429; }
  /// Why it did not, from an answer in JSON; "": the answer as it is.
  virtual std::string words_of(const Json& answer) const;
  /// How long the service asks to wait; by default what its header says.
  virtual std::optional<std::chrono::milliseconds> wait_asked(const HttpResponse& response) const;

 private:
  void deliver(const Call& call, HttpRequest request) const;
  Error refused(HttpResponse response) const;

  std::string service_;
  std::vector<std::string> secrets_;
};

inline constexpr const char* kTestText = "DBackup connection test: no action is needed.";

/// With a backslash when it is one of `special`.
std::string backslash_escaped(std::string_view character, std::string_view special);
/// What would change how the rest is shown where a service reads CommonMark. "_" inside a word has
/// no meaning there.
std::string markdown_escaped(std::string_view character);

/// POST of a JSON document.
HttpRequest json_post(const std::string& url, const Json& body);
/// The answer's body; null when it is no JSON.
Json json_of(const HttpResponse& response);
/// A text member, or "".
std::string text_of(const Json& object, const char* name);
/// Without the slashes at its end; checked by check_url().
std::string base_url(const Config& config, const char* name, const char* fallback = "");
/// An option that becomes a part of a path: letters, digits, and "-_:" alone.
std::string path_word(const Config& config, const char* name);

/// The entries of the plugin's table.
const dbackup_adapter* discord();
const dbackup_adapter* gotify();
const dbackup_adapter* ntfy();
const dbackup_adapter* slack();
const dbackup_adapter* teams();
const dbackup_adapter* telegram();
const dbackup_adapter* twilio_sms();

}  // namespace dbackup::plugins::chat
