#pragma once

#include <mutex>

#include "api/resources/resource_base.hpp"
#include "api/static_files.hpp"

namespace dbackup::host {

struct DocumentOptions {
  std::string program_version;
  std::string public_url;  ///< "": taken from each request
  bool is_https = false;
  std::string web_folder;  ///< of the reference's bundle
};

/// The OpenAPI document of the table it is mounted in, as JSON, as YAML, and as a page to read and
/// try it. Made at the first request, when every resource has been mounted.
class DocumentsResource {
 public:
  /// `table` must outlive it.
  DocumentsResource(const RouteTable& table, DocumentOptions options);
  void mount(RouteTable& table);

 private:
  HttpResponse json(const ApiRequest& request, const Principal& who);
  HttpResponse yaml(const ApiRequest& request, const Principal& who);
  HttpResponse page(const ApiRequest& request, const Principal& who);
  HttpResponse file(const ApiRequest& request, const Principal& who);
  HttpResponse with_address(const ApiRequest& request, const std::string& text,
                            std::string_view media_type) const;
  void make();
  static const Route<DocumentsResource> kRoutes[];

  const RouteTable& table_;
  const DocumentOptions options_;
  StaticFiles files_;
  std::once_flag made_;
  std::string json_, yaml_;  ///< with a mark where the server's address belongs
};

}  // namespace dbackup::host
