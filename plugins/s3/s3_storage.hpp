#pragma once

#include <dbackup/storage.hpp>

#include "client.hpp"

namespace dbackup::plugins::s3 {

/// Backups as objects of a bucket, below a prefix. An object becomes visible by the one request
/// that completes it; what an upload leaves until then S3 does not list, and markers.hpp finds.
class S3Storage : public Storage {
 public:
  S3Storage(const Config& config, Flavour flavour) : client_{parse_settings(config, flavour)} {}

  TestResult test(Call& call) override;
  void ping(Call& call) override;
  ObjectInfo put(Call& call, const PutRequest& request, Reader& in) override;
  void get(Call& call, const std::string& path, uint64_t offset, std::optional<uint64_t> length,
           Writer& out) override;
  void list(Call& call, const std::string& prefix,
            const std::function<void(const ObjectInfo&)>& found) override;
  std::optional<ObjectInfo> stat(Call& call, const std::string& path) override;
  bool remove(Call& call, const std::string& path) override;
  uint64_t cleanup(Call& call, const std::string& token) override;
  void browse(Call& call, const std::string& path,
              const std::function<void(const std::string&, const std::string&)>& folder);

 private:
  std::string key_of(const std::string& path) const;

  Client client_;
};

}  // namespace dbackup::plugins::s3
