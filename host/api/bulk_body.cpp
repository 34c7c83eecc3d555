#include "api/bulk_body.hpp"

namespace dbackup::host {

Json schemas::bulk_request(std::initializer_list<std::string_view> actions, std::string_view list) {
  return schema::object(
      {schema::required("action", schema::one_of(actions)),
       schema::required(list, schema::list_of(schema::text(1, 2000), 1, kMostBulkEntries))});
}

Json schemas::bulk_answer() {
  using namespace schema;
  const Json failure =
      object({required("id", text()), optional("name", text()), required("error", text())});
  return object({required("success", described(flag(), "true even when every entry failed")),
                 required("message", text()),
                 required("data", object({required("succeeded", list_of(text())),
                                          required("failed", list_of(failure))}))});
}

BulkCommand parse_bulk(const Json& body, std::string_view list) {
  const std::string key{list};
  return {.action = require_string(body, "action"),
          .entries = bulk_entries(
              get_strings(body, key.c_str()).value_or(std::vector<std::string>{}), list)};
}

Json render::bulk(const BulkOutcome& outcome, const BulkWords& words) {
  Json failed = Json::array();
  for (const BulkFailure& failure : outcome.failed) {
    Json item{{"id", failure.id}, {"error", failure.error}};
    if (!failure.name.empty()) item["name"] = failure.name;
    failed.push_back(std::move(item));
  }
  return {{"success", true},
          {"message", bulk_message(outcome, words)},
          {"data", {{"succeeded", outcome.succeeded}, {"failed", std::move(failed)}}}};
}

}  // namespace dbackup::host
