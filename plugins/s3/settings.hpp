#pragma once

#include <cstdint>
#include <dbackup/config.hpp>
#include <string>

#include "sigv4.hpp"

namespace dbackup::plugins::s3 {

enum class Flavour { Aws, Generic, R2, Hetzner };

/// How a taken key is noticed at the commit.
enum class ConditionalWrites {
  Auto,  ///< "If-None-Match: *", and without it where the server does not know it
  On,    ///< the same, but a server that does not know it is an error
  Off,   ///< looked up just before
};

/// A checksum the server keeps or checks beside the signed SHA-256 of every body.
enum class Checksum { None, Sha256, Md5 };

/// What the configuration says, checked and completed.
struct Settings {
  std::string adapter_id;
  std::string scheme;  ///< "https" or "http"
  std::string
      host;  ///< with ":port" unless it is the scheme's own; with the bucket unless path style
  std::string base_path;  ///< before every key, encoded: "", "/bucket", "/behind/a/proxy/bucket"
  std::string region;
  std::string bucket;
  std::string prefix;  ///< "" or ends with '/'
  Credentials credentials;
  std::string ca_file;

  std::string storage_class;  ///< "": the bucket's own
  std::string encryption;     ///< "", "AES256", "aws:kms"
  std::string kms_key_id;
  std::string lock_mode;  ///< "", "GOVERNANCE", "COMPLIANCE"
  int64_t lock_days = 0;
  Checksum checksum = Checksum::None;
  ConditionalWrites conditional = ConditionalWrites::Auto;
  bool atomic_commit = false;  ///< declared: a server without conditional writes is an error

  uint64_t part_bytes = 0;
  uint64_t memory_bytes = 0;
  bool equal_parts = false;  ///< the service insists on it

  /// For messages: "s3://bucket/key".
  std::string shown(const std::string& key) const { return "s3://" + bucket + "/" + key; }
};

/// Throws Error{InvalidArgument} naming the option. An adapter's options that are not in `config`
/// have their defaults.
Settings parse_settings(const Config& config, Flavour flavour);

}  // namespace dbackup::plugins::s3
