#include "completion.hpp"

#include "answers.hpp"

namespace dbackup::plugins::s3 {

std::string completion_body(const Settings& settings, const std::vector<SentPart>& parts) {
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (const SentPart& part : parts) {
    body += "<Part>";
    if (settings.checksum == Checksum::Sha256) {
      body += "<ChecksumSHA256>" + base64(part.sha256) + "</ChecksumSHA256>";
    }
    body += "<ETag>" + xml_text(part.etag) + "</ETag><PartNumber>" + std::to_string(part.number) +
            "</PartNumber></Part>";
  }
  return body + "</CompleteMultipartUpload>";
}

std::string composite_sha256(const std::vector<SentPart>& parts) {
  std::vector<unsigned char> all;
  for (const SentPart& part : parts) all.insert(all.end(), part.sha256.begin(), part.sha256.end());
  return base64(sha256(std::as_bytes(std::span{all}))) + "-" + std::to_string(parts.size());
}

bool Conflict::lasts(const ServiceError& error) {
  const bool passes = error.name() == "ConditionalRequestConflict" ||
                      error.name() == "OperationAborted" || error.status() >= 500;
  const auto now = std::chrono::steady_clock::now();
  if (!since_) since_ = now;
  return now - *since_ < (passes ? kLongest : kLongestUnknown);
}

bool Conflict::is_under_way(const ServiceError& error) {
  return std::string_view{error.what()}.find("already in progress") != std::string_view::npos;
}

}  // namespace dbackup::plugins::s3
