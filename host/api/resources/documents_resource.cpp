#include "api/resources/documents_resource.hpp"

#include "api/entity_tag.hpp"
#include "api/openapi.hpp"
#include "api/public_address.hpp"
#include "api/web_pages.hpp"

namespace dbackup::host {
namespace {

constexpr std::string_view kAddressMark = "@server-address@";
constexpr std::string_view kYaml = "application/yaml";
constexpr int kNotModified[] = {304};

/// The page's bundle writes its own styles; its scripts come from here alone, and so does all else.
constexpr const char* kPagePolicy =
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' "
    "data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'; object-src 'none'";

Json file_query() {
  using namespace schema;
  return object({optional("v", described(text(), "the file's version, as the page names it"))});
}

std::string replaced(std::string text, std::string_view mark, std::string_view value) {
  text.replace(text.find(mark), mark.size(), value);
  return text;
}

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
    {.method = Method::Get,
     .path = "/docs/api",
     .access = Access::anyone(),
     .handler = &DocumentsResource::page,
     .summary = "This document to read and try",
     .section = "API reference",
     .etag = true,
     .produces = "text/html"},
    {.method = Method::Get,
     .path = "/docs/api/{file}",
     .access = Access::anyone(),
     .handler = &DocumentsResource::file,
     .summary = "The scripts of that page",
     .section = "API reference",
     .query = file_query,
     .failures = kNotModified,
     .produces = "text/javascript"},
};

DocumentsResource::DocumentsResource(const RouteTable& table, DocumentOptions options)
    : table_{table}, options_{std::move(options)}, files_{options_.web_folder} {
  constexpr std::string_view kScript = "text/javascript; charset=utf-8";
  files_.add("reference.js", kReferenceScript, kScript);
  files_.add_file("scalar.js", kScript);
}

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

HttpResponse DocumentsResource::page(const ApiRequest&, const Principal&) {
  const auto bundle = files_.version("scalar.js");
  std::string html{kReferenceMissingHtml};
  if (bundle) {
    html = replaced(std::string{kReferenceHtml}, "@bundle@", *bundle);
    html = replaced(std::move(html), "@script@", *files_.version("reference.js"));
  }
  HttpResponse response = HttpResponse::text(200, std::move(html), "text/html; charset=utf-8");
  response.headers.set("Content-Security-Policy", kPagePolicy);
  return response;
}

HttpResponse DocumentsResource::file(const ApiRequest& request, const Principal&) {
  return files_.answer(request.http, request.param());
}

}  // namespace dbackup::host
