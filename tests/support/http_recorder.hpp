#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace dbackup::test {

/// One request as it arrived.
struct RecordedRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

/// An HTTP server on a free loopback port that writes down what it is sent and answers as it was
/// told. One connection at a time, closed after each answer.
class HttpRecorder {
 public:
  HttpRecorder();
  HttpRecorder(const HttpRecorder&) = delete;
  HttpRecorder& operator=(const HttpRecorder&) = delete;
  ~HttpRecorder();

  std::string url(const std::string& target = "/") const;
  /// What every later request is answered; the whole status line's rest, for example "204 No
  /// Content".
  void answer(std::string status, std::string body = {}, std::string extra_headers = {});
  /// What the next request that has no such answer yet is answered, instead.
  void answer_once(std::string status, std::string body = {}, std::string extra_headers = {});
  /// From now on requests are read and never answered.
  void stay_silent();
  std::vector<RecordedRequest> requests() const;

 private:
  void serve();
  void handle(int fd);

  int listener_ = -1;
  int stop_ = -1;
  uint16_t port_ = 0;
  mutable std::mutex mutex_;
  struct Answer {
    std::string status, body, extra_headers;
  };
  Answer answer_{"200 OK", "ok", ""};
  std::deque<Answer> once_;
  bool silent_ = false;
  std::vector<RecordedRequest> requests_;
  std::vector<int> unanswered_;
  std::thread thread_;
};

}  // namespace dbackup::test
