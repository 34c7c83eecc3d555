#pragma once

#include "api/route_table.hpp"
#include "api/schema.hpp"

/// Pages of lists that grow: `page` from 1, `pageSize` 1 to 200.
namespace dbackup::host {

inline constexpr int64_t kMostPerPage = 200;
inline constexpr int64_t kMostPages = 1'000'000'000;

struct Page {
  int64_t number = 1, size = 50;
  int64_t offset() const noexcept { return (number - 1) * size; }
};

/// What the query asks for; the row's query schema has checked it.
inline Page page_of(const ApiRequest& request, int64_t size_if_missing = 50,
                    std::string_view size_name = "pageSize") {
  return {.number = request.query_integer("page", 1),
          .size = request.query_integer(size_name, size_if_missing)};
}

namespace schemas {

/// The two parameters, to be merged with the others of a query:
/// `schema::merged(schema::object({…}), schemas::page_query())`.
inline Json page_query(std::string_view size_name = "pageSize") {
  return schema::object({schema::optional("page", schema::integer(1, kMostPages)),
                         schema::optional(size_name, schema::integer(1, kMostPerPage))});
}
/// {"data":[…],"total","page","pageSize"}
inline Json paged(Json items) {
  return schema::object({schema::required("data", schema::list_of(std::move(items))),
                         schema::required("total", schema::integer()),
                         schema::required("page", schema::integer()),
                         schema::required("pageSize", schema::integer())});
}
/// The other shape: {"<list>":[…],"pagination":{"total","pages","page","limit"}}
inline Json paginated(std::string_view list, Json items) {
  const Json pagination = schema::object(
      {schema::required("total", schema::integer()), schema::required("pages", schema::integer()),
       schema::required("page", schema::integer()), schema::required("limit", schema::integer())});
  return schema::object({schema::required(list, schema::list_of(std::move(items))),
                         schema::required("pagination", pagination)});
}

}  // namespace schemas

namespace render {

inline Json paged(Json items, int64_t total, const Page& page) {
  return {
      {"data", std::move(items)}, {"total", total}, {"page", page.number}, {"pageSize", page.size}};
}
inline Json paginated(const std::string& list, Json items, int64_t total, const Page& page) {
  return {{list, std::move(items)},
          {"pagination",
           {{"total", total},
            {"pages", (total + page.size - 1) / page.size},
            {"page", page.number},
            {"limit", page.size}}}};
}

}  // namespace render
}  // namespace dbackup::host
