#include "api/http_response.hpp"

#include "base/json.hpp"

namespace dbackup::host {

HttpRelay::HttpRelay(HttpRelay&& other) noexcept
    : source{std::move(other.source)},
      length{other.length},
      verdict{std::exchange(other.verdict, nullptr)},
      on_end{std::exchange(other.on_end, nullptr)} {}

HttpRelay& HttpRelay::operator=(HttpRelay&& other) noexcept {
  if (this != &other) {
    finish(false);
    source = std::move(other.source);
    length = other.length;
    verdict = std::exchange(other.verdict, nullptr);
    on_end = std::exchange(other.on_end, nullptr);
  }
  return *this;
}

void HttpRelay::finish(bool delivered) noexcept {
  source.reset();
  verdict = nullptr;
  const auto call = std::exchange(on_end, nullptr);
  if (!call) return;
  try {
    call(delivered);
  } catch (...) {  // the answer is over, and nobody is left to tell
  }
}

HttpResponse HttpResponse::text(int status, std::string body, std::string content_type) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", std::move(content_type));
  response.body = std::move(body);
  return response;
}

HttpResponse HttpResponse::json(int status, std::string json) {
  return text(status, std::move(json), "application/json");
}

HttpResponse HttpResponse::error(int status, std::string_view message) {
  return json(status,
              "{\"success\":false,\"error\":" + dump_json(Json(std::string{message})) + "}");
}

HttpResponse HttpResponse::relay(HttpRelay relay, std::string content_type) {
  HttpResponse response;
  response.headers.add("Content-Type", std::move(content_type));
  response.body = std::move(relay);
  return response;
}

HttpResponse HttpResponse::events(std::shared_ptr<HttpEventStream> stream) {
  HttpResponse response;
  response.headers.add("Content-Type", "text/event-stream");
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Accel-Buffering", "no");
  response.body = std::move(stream);
  response.close = true;
  return response;
}

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

}  // namespace dbackup::host
