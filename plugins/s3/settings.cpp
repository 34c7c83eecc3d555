#include "settings.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <common/url_guard.hpp>
#include <memory>

namespace dbackup::plugins::s3 {
namespace {

constexpr uint64_t kMiB = 1024 * 1024;

struct FreeUrl {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
struct FreeText {
  void operator()(char* text) const noexcept { curl_free(text); }
};

Error invalid(const std::string& text) { return Error{ErrorCode::InvalidArgument, text}; }

/// A form sends "" for what was not filled in.
std::string text_or_default(const Config& config, const std::string& option,
                            const std::string& fallback) {
  std::string value = config.text(option);
  return value.empty() ? fallback : value;
}

/// Goes into a host name, so nothing else may be in it.
std::string host_label(const Config& config, const std::string& option) {
  std::string value = config.required(option);
  const bool fits = value.size() <= 63 && std::ranges::all_of(value, [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '-';
                    });
  if (!fits) throw invalid("\"" + option + "\" may hold letters, digits and \"-\" alone");
  return value;
}

std::string checked_bucket(const Config& config) {
  std::string bucket = config.required("bucket");
  const bool fits = bucket.size() <= 255 && bucket != "." && bucket != ".." &&
                    std::ranges::all_of(bucket, [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
                    });
  if (!fits) throw invalid("\"bucket\" is not the name of a bucket");
  return bucket;
}

/// Without outer slashes, with one at the end.
std::string checked_prefix(const Config& config, bool required) {
  std::string prefix = config.text("pathPrefix");
  while (prefix.starts_with('/')) prefix.erase(0, 1);
  while (prefix.ends_with('/')) prefix.pop_back();
  if (prefix.empty()) {
    if (required) throw invalid("\"pathPrefix\" is required");
    return prefix;
  }
  prefix += '/';
  for (size_t start = 0; start < prefix.size();) {
    const size_t end = prefix.find('/', start);
    const std::string part = prefix.substr(start, end - start);
    if (part.empty() || part == "." || part == "..") {
      throw invalid("\"pathPrefix\" must not have empty parts, \".\" or \"..\"");
    }
    start = end + 1;
  }
  return prefix;
}

std::string default_endpoint(const Config& config, Flavour flavour) {
  switch (flavour) {
    case Flavour::Aws: {
      const std::string region = host_label(config, "region");
      return "https://s3." + region +
             (region.starts_with("cn-") ? ".amazonaws.com.cn" : ".amazonaws.com");
    }
    case Flavour::R2: {
      const std::string where = text_or_default(config, "jurisdiction", "default");
      return "https://" + host_label(config, "accountId") +
             (where == "default" ? "" : "." + where) + ".r2.cloudflarestorage.com";
    }
    case Flavour::Hetzner:
      return "https://" + text_or_default(config, "region", "fsn1") + ".your-objectstorage.com";
    case Flavour::Generic:
      break;
  }
  return config.required("endpoint");
}

std::string url_part(CURLU* url, CURLUPart part) {
  char* raw = nullptr;
  if (curl_url_get(url, part, &raw, 0) != CURLUE_OK) return {};
  const std::unique_ptr<char, FreeText> text{raw};
  return text.get();
}

void place(Settings& out, std::string endpoint, bool path_style) {
  if (endpoint.find("://") == std::string::npos) endpoint = "https://" + endpoint;
  check_url(endpoint);
  const std::unique_ptr<CURLU, FreeUrl> url{curl_url()};
  if (!url || curl_url_set(url.get(), CURLUPART_URL, endpoint.c_str(), 0) != CURLUE_OK) {
    throw invalid("\"endpoint\" is not a valid URL");
  }
  for (const CURLUPart part : {CURLUPART_QUERY, CURLUPART_FRAGMENT, CURLUPART_USER}) {
    if (!url_part(url.get(), part).empty()) {
      throw invalid("\"endpoint\" must not have a user, a query or a fragment");
    }
  }
  out.scheme = url_part(url.get(), CURLUPART_SCHEME);
  std::string host = url_part(url.get(), CURLUPART_HOST);
  const std::string port = url_part(url.get(), CURLUPART_PORT);
  if (!port.empty() && port != (out.scheme == "https" ? "443" : "80")) host += ":" + port;
  out.base_path = url_part(url.get(), CURLUPART_PATH);
  while (out.base_path.ends_with('/')) out.base_path.pop_back();
  // A bucket whose name is no host label, or an address instead of a name, can only be a path.
  const bool address =
      host.starts_with('[') || host.find_first_not_of("0123456789.:") == std::string::npos;
  if (path_style || address || out.bucket.find('_') != std::string::npos ||
      (out.scheme == "https" && out.bucket.find('.') != std::string::npos)) {
    out.base_path += "/" + out.bucket;
    out.host = host;
  } else {
    out.host = out.bucket + "." + host;
  }
}

Checksum parse_checksum(const std::string& value) {
  if (value == "sha256") return Checksum::Sha256;
  return value == "md5" ? Checksum::Md5 : Checksum::None;
}

std::string unless_none(std::string value) { return value == "none" ? std::string{} : value; }

}  // namespace

Settings parse_settings(const Config& config, Flavour flavour) {
  Settings out;
  switch (flavour) {
    case Flavour::Aws:
      out.adapter_id = "s3-aws";
      out.region = host_label(config, "region");
      out.storage_class = config.text_or("storageClass", "STANDARD");
      break;
    case Flavour::Generic:
      out.adapter_id = "s3-generic";
      out.region = text_or_default(config, "region", "us-east-1");
      out.storage_class = config.text("storageClass");
      break;
    case Flavour::R2:
      out.adapter_id = "s3-r2";
      out.region = "auto";
      break;
    case Flavour::Hetzner:
      out.adapter_id = "s3-hetzner";
      out.region = text_or_default(config, "region", "fsn1");
      break;
  }
  out.bucket = checked_bucket(config);
  out.prefix = checked_prefix(config, flavour == Flavour::Hetzner);
  std::string endpoint = config.text("endpoint");
  const std::string usual = endpoint.empty() || flavour == Flavour::R2 || flavour == Flavour::Aws
                                ? default_endpoint(config, flavour)
                                : endpoint;
  place(out, endpoint.empty() ? usual : endpoint, config.flag_or("forcePathStyle", false));
  out.credentials = {.access_key_id = config.required("accessKeyId"),
                     .secret_access_key = config.required("secretAccessKey"),
                     .session_token = config.text("sessionToken")};
  out.ca_file = config.text("caFile");

  out.encryption = unless_none(config.text_or("serverSideEncryption", "none"));
  out.kms_key_id = config.text("sseKmsKeyId");
  if (!out.kms_key_id.empty() && out.encryption != "aws:kms") {
    throw invalid("\"sseKmsKeyId\" needs \"serverSideEncryption\" to be \"aws:kms\"");
  }
  out.lock_mode = unless_none(config.text_or("objectLockMode", "none"));
  out.lock_days = config.integer_or("objectLockDays", 0);
  if (!out.lock_mode.empty() && out.lock_days < 1) {
    throw invalid("\"objectLockMode\" needs \"objectLockDays\" of 1 or more");
  }
  out.checksum = parse_checksum(
      text_or_default(config, "checksum", flavour == Flavour::Aws ? "sha256" : "none"));
  // A bucket with object lock accepts no body without one of the two.
  if (!out.lock_mode.empty() && out.checksum == Checksum::None) out.checksum = Checksum::Md5;
  const std::string conditional = config.text_or("conditionalWrites", "auto");
  out.conditional = conditional == "off"  ? ConditionalWrites::Off
                    : conditional == "on" ? ConditionalWrites::On
                                          : ConditionalWrites::Auto;
  out.atomic_commit = flavour == Flavour::Aws || flavour == Flavour::R2;
  if (out.atomic_commit) out.conditional = ConditionalWrites::On;

  out.equal_parts = flavour == Flavour::R2;
  out.part_bytes =
      static_cast<uint64_t>(config.integer_or("partSizeMiB", out.equal_parts ? 16 : 8)) * kMiB;
  out.memory_bytes = static_cast<uint64_t>(config.integer_or("memoryMiB", 64)) * kMiB;
  if (out.part_bytes < 5 * kMiB || out.part_bytes > 5120 * kMiB) {
    throw invalid("\"partSizeMiB\" must be 5 to 5120");
  }
  if (out.memory_bytes < 2 * out.part_bytes) {
    throw invalid("\"memoryMiB\" must be at least twice \"partSizeMiB\"");
  }
  return out;
}

}  // namespace dbackup::plugins::s3
