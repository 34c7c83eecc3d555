#pragma once

#include <string>

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct Services;
struct StorageResourceOptions {
  /// "https://backup.example.net", without a slash at its end; "": taken from each request.
  std::string public_url;
  bool is_https = false;
};

/// Stored backups: list, verify, delete, restore, links.
class StorageResource {
 public:
  StorageResource(Services& services, StorageResourceOptions options)
      : services_{services}, options_{std::move(options)} {}
  void mount(RouteTable& table);

 private:
  HttpResponse files(const ApiRequest& request, const Principal& who);
  HttpResponse latest(const ApiRequest& request, const Principal& who);
  HttpResponse remove(const ApiRequest& request, const Principal& who);
  HttpResponse verify(const ApiRequest& request, const Principal& who);
  HttpResponse restore(const ApiRequest& request, const Principal& who);
  HttpResponse download(const ApiRequest& request, const Principal& who);
  HttpResponse download_url(const ApiRequest& request, const Principal& who);
  HttpResponse public_download(const ApiRequest& request, const Principal& who);
  static const Route<StorageResource> kRoutes[];

  Services& services_;
  StorageResourceOptions options_;
};

}  // namespace dbackup::host
