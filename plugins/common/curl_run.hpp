#pragma once

#include <curl/curl.h>

#include <dbackup/call.hpp>
#include <memory>

namespace dbackup::plugins {

/// Runs one prepared transfer to its end and stays in reach of a cancellation, even while a name is
/// looked up. libcurl's code for it; throws Error{Cancelled}.
inline CURLcode run_transfer(const Call& call, CURL* easy) {
  constexpr int kAskAgainMs = 100;
  struct Cleanup {
    void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
  };
  const std::unique_ptr<CURLM, Cleanup> multi{curl_multi_init()};
  if (!multi || curl_multi_add_handle(multi.get(), easy) != CURLM_OK) {
    throw Error{ErrorCode::Internal, "cannot start a transfer"};
  }
  struct Detach {
    CURLM* multi;
    CURL* easy;
    ~Detach() { curl_multi_remove_handle(multi, easy); }
  } const detach{multi.get(), easy};
  for (int running = 1; running > 0;) {
    call.check_cancelled();
    if (curl_multi_perform(multi.get(), &running) != CURLM_OK ||
        (running > 0 &&
         curl_multi_poll(multi.get(), nullptr, 0, kAskAgainMs, nullptr) != CURLM_OK)) {
      throw Error{ErrorCode::Internal, "the transfer library failed"};
    }
  }
  int left = 0;
  const CURLMsg* message = curl_multi_info_read(multi.get(), &left);
  return message != nullptr ? message->data.result : CURLE_FAILED_INIT;
}

}  // namespace dbackup::plugins
