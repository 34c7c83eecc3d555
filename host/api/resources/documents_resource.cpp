#include "api/resources/documents_resource.hpp"

#include "api/entity_tag.hpp"
#include "api/openapi.hpp"
#include "api/public_address.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kAddressMark = "@server-address@";
/// The rows themselves end in "yaml" and "json" as what they produce does.
constexpr std::string_view kYaml = "application/yaml";

}  // namespace

const Route<DocumentsResource> DocumentsResource::kRoutes[] = {
    {.method = Method::Get,
     .path = "/openapi.json",
     .access = Access::anyone(),
     .handler = &DocumentsResource::json,
     .summary = "This document",
     .section = "API reference",
     .response = schema::any_document,
     .etag = true},
    {.method = Method::Get,
     .path = "/openapi.yaml",
     .access = Access::anyone(),
     .handler = &DocumentsResource::yaml,
     .summary = "This document as YAML",
     .section = "API reference",
     .etag = true,
     .produces = kYaml},
};

void DocumentsResource::mount(RouteTable& table) { table.mount<DocumentsResource>(*this, kRoutes); }

void DocumentsResource::make() {
  std::call_once(made_, [this] {
    const Json document =
        openapi::document(table_, options_.program_version, std::string{kAddressMark});
    json_ = dump_json(document);
    yaml_ = openapi::to_yaml(document);
  });
}

HttpResponse DocumentsResource::with_address(const ApiRequest& request, const std::string& text,
                                             std::string_view media_type) const {
  // An address holds no character that either format would have to escape.
  const std::string address = public_address(request.http, options_.public_url, options_.is_https);
  std::string out = text;
  out.replace(out.find(kAddressMark), kAddressMark.size(), address);
  return HttpResponse::text(200, std::move(out), std::string{media_type});
}

HttpResponse DocumentsResource::json(const ApiRequest& request, const Principal&) {
  make();
  return with_address(request, json_, "application/json");
}

HttpResponse DocumentsResource::yaml(const ApiRequest& request, const Principal&) {
  make();
  return with_address(request, yaml_, kYaml);
}

}  // namespace dbackup::host
