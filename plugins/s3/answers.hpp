#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dbackup::plugins::s3 {

/// The XML that S3 answers with; shapes from the S3 API reference. Parsers throw Error{Aborted} for
/// what is no such answer.

struct ErrorBody {
  std::string code;  ///< "" when the body is no error
  std::string message;
  std::string region;
  std::string endpoint;
  std::string storage_class;
  std::string request_id;
};
/// Never throws: proxies answer with anything.
ErrorBody parse_error(const std::string& body) noexcept;

struct ListedObject {
  std::string key;
  uint64_t size = 0;
  int64_t modified_ms = 0;
  std::string storage_class;
};
struct ListPage {
  std::vector<ListedObject> objects;
  std::vector<std::string> prefixes;  ///< CommonPrefixes
  std::string next;                   ///< continuation token; "": this was the last page
};
ListPage parse_list(const std::string& body);

/// Of CreateMultipartUpload.
std::string parse_upload_id(const std::string& body);

struct Completed {
  std::string error;  ///< S3 can answer 200 and an error afterwards; "" when there is none
  std::string message;
  std::string etag;
  std::string checksum_sha256;  ///< "" where the server computes none
};
Completed parse_completed(const std::string& body);

struct ListedUpload {
  std::string key;
  std::string upload_id;
  int64_t initiated_ms = 0;
};
struct UploadPage {
  std::vector<ListedUpload> uploads;
  std::string next_key;  ///< "" and "": this was the last page
  std::string next_upload_id;
};
UploadPage parse_uploads(const std::string& body);

/// Of ListParts.
bool has_parts(const std::string& body);

/// "2013-05-24T00:00:00.000Z" to milliseconds since 1970; 0 when it is no such time.
int64_t parse_iso_time(std::string_view text);
/// "Fri, 24 May 2013 00:00:00 GMT"; 0 when it is no such time.
int64_t parse_http_time(const std::string& text);
/// Text for an XML element.
std::string xml_text(std::string_view text);

}  // namespace dbackup::plugins::s3
