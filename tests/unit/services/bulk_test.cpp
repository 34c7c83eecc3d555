#include "services/bulk.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace dbackup::host {
namespace {

constexpr BulkWords kDelete{.one = "job", .many = "jobs", .verb = "delete", .past = "deleted"};

void refuse_odd(const std::string& id) {
  if (id == "odd") throw Error(ErrorCode::NotFound, "job not found");
}

TEST(Bulk, WorksThroughTheRestWhenOneFails) {
  const auto outcome = run_bulk({"a", "odd", "b"}, refuse_odd,
                                [](const std::string& id) { return "name of " + id; });
  EXPECT_EQ(outcome.succeeded, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(outcome.failed.size(), 1U);
  EXPECT_EQ(outcome.failed[0].name, "name of odd");
  EXPECT_EQ(outcome.failed[0].error, "job not found");
  EXPECT_EQ(bulk_audit("delete", outcome), (Json{{"bulk", true},
                                                 {"action", "delete"},
                                                 {"requested", 3},
                                                 {"succeeded", 2},
                                                 {"failed", 1}}));
}

TEST(Bulk, SaysHowManyOfHowMany) {
  EXPECT_EQ(bulk_message(run_bulk({"a", "b"}, refuse_odd), kDelete), "2 jobs deleted");
  EXPECT_EQ(bulk_message(run_bulk({"a"}, refuse_odd), kDelete), "1 job deleted");
  EXPECT_EQ(bulk_message(run_bulk({"a", "odd"}, refuse_odd), kDelete), "1 of 2 jobs deleted");
  EXPECT_EQ(bulk_message(run_bulk({"odd"}, refuse_odd), kDelete), "Could not delete 1 job");
}

TEST(Bulk, TakesEachEntryOnce) {
  EXPECT_EQ(bulk_entries({"b", "a", "b"}), (std::vector<std::string>{"b", "a"}));
}

TEST(Bulk, RefusesNoneTooManyAndEmptyEntries) {
  EXPECT_THROW(bulk_entries({}), Error);
  EXPECT_THROW(bulk_entries({"a", ""}), Error);
  EXPECT_NO_THROW(bulk_entries(std::vector<std::string>(kMostBulkEntries, "a")));
  EXPECT_THROW(bulk_entries(std::vector<std::string>(kMostBulkEntries + 1, "a")), Error);
}

}  // namespace
}  // namespace dbackup::host
