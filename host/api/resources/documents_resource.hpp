#pragma once

#include <mutex>

#include "api/resources/resource_base.hpp"

namespace dbackup::host {

struct DocumentOptions {
  std::string program_version;
  std::string public_url;  ///< "": taken from each request
  bool is_https = false;
};

/// The OpenAPI document of the table it is mounted in, as JSON and YAML. Made at the first request,
/// when every resource has been mounted.
class DocumentsResource {
 public:
  /// `table` must outlive it.
  DocumentsResource(const RouteTable& table, DocumentOptions options)
      : table_{table}, options_{std::move(options)} {}
  void mount(RouteTable& table);

 private:
  HttpResponse json(const ApiRequest& request, const Principal& who);
  HttpResponse yaml(const ApiRequest& request, const Principal& who);
  HttpResponse with_address(const ApiRequest& request, const std::string& text,
                            std::string_view media_type) const;
  void make();
  static const Route<DocumentsResource> kRoutes[];

  const RouteTable& table_;
  const DocumentOptions options_;
  std::once_flag made_;
  std::string json_, yaml_;  ///< with a mark where the server's address belongs
};

}  // namespace dbackup::host
