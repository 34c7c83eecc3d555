#include <gtest/gtest.h>

#include <set>

#include "api/byte_range.hpp"
#include "api/content_disposition.hpp"
#include "api/http_error.hpp"
#include "api/public_address.hpp"
#include "api/resources/restore_body.hpp"
#include "api/schema.hpp"
#include "base/json.hpp"

namespace dbackup::host {
namespace {

TEST(HttpError, EveryCodeHasItsRow) {
  for (const ErrorCode code :
       {ErrorCode::Cancelled, ErrorCode::InvalidArgument, ErrorCode::DeadlineExceeded,
        ErrorCode::NotFound, ErrorCode::AlreadyExists, ErrorCode::PermissionDenied,
        ErrorCode::ResourceExhausted, ErrorCode::FailedPrecondition, ErrorCode::Aborted,
        ErrorCode::Unimplemented, ErrorCode::Internal, ErrorCode::Unavailable, ErrorCode::DataLoss,
        ErrorCode::Unauthenticated}) {
    int rows = 0;
    for (const auto& row : http_status_rows())
      rows += row.code == code && row.reason.empty() ? 1 : 0;
    EXPECT_EQ(rows, 1) << to_string(code);
    EXPECT_EQ(http_status(code, "a reason without a row"), http_status(code, ""));
  }
  EXPECT_EQ(http_status(static_cast<ErrorCode>(99), ""), 500);
}

TEST(HttpError, UsesOnlyTheStatusesOfTheContractAndTheLimitersForALockedAccountAlone) {
  const std::set<int> allowed{400, 401, 403, 404, 409, 410, 412, 413, 415, 416,
                              422, 500, 501, 502, 503, 504, 507};
  for (const auto& row : http_status_rows()) {
    const bool is_lock = row.status == 429 && row.reason == "ACCOUNT_TEMPORARILY_LOCKED";
    EXPECT_TRUE(is_lock || allowed.contains(row.status)) << row.status;
    EXPECT_EQ(http_status(row.code, row.reason), row.status) << "each row is reached";
  }
}

TEST(HttpError, SaysWhichKeyIsMissing) {
  const Error error{ErrorCode::FailedPrecondition, "no key", "profile-1",
                    "encryption_key_required"};
  const HttpResponse response = error_response(error);
  const Json body = Json::parse(std::get<std::string>(response.body));
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(body, (Json{{"success", false},
                        {"error", "no key"},
                        {"code", "ENCRYPTION_KEY_REQUIRED"},
                        {"profileId", "profile-1"}}));
}

TEST(HttpError, KeepsDetailsAndForeignTextsInTheLog) {
  const auto text_of = [](const auto& thrown) {
    const Failure failure = failure_from(std::make_exception_ptr(thrown), {.with_message = true});
    EXPECT_NE(failure.log_text.find("s3cret"), std::string::npos);
    const Json body = Json::parse(std::get<std::string>(failure.response.body));
    EXPECT_EQ(body["error"], body["message"]);
    return std::get<std::string>(failure.response.body);
  };
  EXPECT_EQ(text_of(std::runtime_error{"s3cret"}).find("s3cret"), std::string::npos);
  EXPECT_EQ(text_of(Error{ErrorCode::Internal, "plain", "s3cret"}).find("s3cret"),
            std::string::npos);
  const Failure unknown = failure_from(std::make_exception_ptr(42));
  EXPECT_EQ(unknown.response.status, 500);
}

TEST(LoggableTarget, LeavesOutWhatOpensSomething) {
  const auto logged = [](const std::string& target) {
    HttpRequest request;
    request.target = target;
    return loggable_target(request);
  };
  EXPECT_EQ(logged("/api/jobs"), "/api/jobs");
  EXPECT_EQ(logged("/api/storage/public-download?token=s3cret"),
            "/api/storage/public-download?token=...");
  EXPECT_EQ(logged("/a?x=1&t=s3cret&y=2"), "/a?x=1&t=...&y=2");
  EXPECT_EQ(logged("/a?%74oken=s3cret"), "/a?%74oken=...");
  EXPECT_EQ(logged("/a?TOKEN=s3cret&token=s3cret"), "/a?TOKEN=...&token=...");
  EXPECT_EQ(logged("/a?%zz=s3cret"), "/a?%zz=...");
  EXPECT_EQ(logged("/a?"), "/a?");
  EXPECT_LE(logged("/" + std::string(5000, 'a')).size(), 600u);
}

TEST(HttpError, TellsWhenToComeBack) {
  EXPECT_TRUE(error_response(Error{ErrorCode::Unavailable, "busy", {}, "busy"})
                  .headers.contains("Retry-After"));
}

TEST(Schema, NamesTheFieldThatDoesNotFit) {
  using namespace schema;
  const Json form =
      object({required("name", text(1, 3)), optional("count", integer(1, 5)),
              optional("mode", one_of({"A", "B"})), optional("tags", list_of(text(), 1)),
              optional("note", nullable(text())), optional("labels", map_of(text())),
              optional("both", either({any_object(), text()}))});
  const std::pair<const char*, const char*> bad[] = {
      {R"({})", "\"name\" is required"},
      {R"({"name":1})", "\"name\" must be a string"},
      {R"({"name":""})", "\"name\" must not be empty"},
      {R"({"name":"äöüß"})", "at most 3 characters"},
      {R"({"name":"a","count":1.5})", "\"count\" must be an integer"},
      {R"({"name":"a","count":18446744073709551615})", "\"count\" must be an integer"},
      {R"({"name":"a","count":6})", "at most 5"},
      {R"({"name":"a","mode":"C"})", "must be one of: A, B"},
      {R"({"name":"a","tags":[]})", "\"tags\" must not be empty"},
      {R"({"name":"a","tags":["x",2]})", "\"tags[1]\" must be a string"},
      {R"({"name":"a","note":3})", "\"note\""},
      {R"({"name":"a","labels":{"k":1}})", "\"labels.k\" must be a string"},
      {R"({"name":"a","both":[]})", "\"both\""},
      {R"({"name":"a\u0000"})", "NUL"},
  };
  for (const auto& [body, what] : bad) {
    try {
      check(form, Json::parse(body));
      ADD_FAILURE() << body;
    } catch (const Error& error) {
      EXPECT_NE(std::string{error.what()}.find(what), std::string::npos)
          << body << ": " << error.what();
    }
  }
  EXPECT_NO_THROW(check(
      form,
      Json::parse(R"({"name":"äöü","note":null,"both":"x","unknown":{},"labels":{"k":""}})")));
}

TEST(ByteRange, FollowsTheStandard) {
  const auto served = [](std::string_view header, uint64_t total) -> std::string {
    const auto request = parse_range(header);
    if (!request) return "ignored";
    const auto range = resolve_range(*request, total);
    return range ? std::to_string(range->offset) + "+" + std::to_string(range->length)
                 : "unsatisfiable";
  };
  EXPECT_EQ(served("bytes=0-0", 10), "0+1");
  EXPECT_EQ(served("bytes=2-", 10), "2+8");
  EXPECT_EQ(served("bytes=2-99", 10), "2+8");
  EXPECT_EQ(served("bytes=-3", 10), "7+3");
  EXPECT_EQ(served("bytes=-30", 10), "0+10");
  EXPECT_EQ(served("bytes=10-", 10), "unsatisfiable");
  EXPECT_EQ(served("bytes=-0", 10), "unsatisfiable");
  EXPECT_EQ(served("bytes=0-", 0), "unsatisfiable");
  EXPECT_EQ(served("bytes=99999999999999999999-", 10), "unsatisfiable");
  for (const char* header : {"", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=0-1,3-4",
                             "items=0-1", "bytes=+1-2"}) {
    EXPECT_EQ(served(header, 10), "ignored") << header;
  }
}

TEST(ByteRange, ComparesEntityTagsWeaklyForNotModified) {
  EXPECT_TRUE(matches_etag("\"a\"", "\"a\""));
  EXPECT_TRUE(matches_etag("\"x\", W/\"a\"", "\"a\""));
  EXPECT_TRUE(matches_etag(" * ", "\"a\""));
  EXPECT_FALSE(matches_etag("\"a-plain\"", "\"a\""));
  EXPECT_FALSE(matches_etag("a", "\"a\""));
}

TEST(ContentDisposition, KeepsAsciiAndCarriesTheRealNameBeside) {
  EXPECT_EQ(attachment_of("a b.dump.zst"), "attachment; filename=\"a b.dump.zst\"");
  EXPECT_EQ(attachment_of("Büro \"x\".sql"),
            "attachment; filename=\"B_ro _x_.sql\"; filename*=UTF-8''B%C3%BCro%20%22x%22.sql");
  EXPECT_EQ(attachment_of("日本"),
            "attachment; filename=\"download\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC");
  EXPECT_EQ(attachment_of("a\r\nX: y"),
            "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y");
}

TEST(PublicAddress, IsTheConfiguredOneElseOriginElseHost) {
  HttpRequest request;
  request.headers.add("Host", "backup:3000");
  EXPECT_EQ(public_address(request, "", false), "http://backup:3000");
  EXPECT_EQ(public_address(request, "", true), "https://backup:3000");
  request.headers.add("X-Forwarded-Proto", "https");
  EXPECT_EQ(public_address(request, "", false), "https://backup:3000");
  request.headers.add("Origin", "https://ui.example.net");
  EXPECT_EQ(public_address(request, "", false), "https://ui.example.net");
  EXPECT_EQ(public_address(request, "https://b.example.net/", false), "https://b.example.net");
  request.headers.set("Origin", "null");
  EXPECT_EQ(public_address(request, "", false), "https://backup:3000");
  request.headers.set("Host", "evil\" host");
  EXPECT_THROW(public_address(request, "", false), Error);
}

TEST(RestoreBody, AcceptsBothFormsOfTheMapping) {
  const auto list = parse_restore(
      "d",
      Json::parse(
          R"({"file":"f","databaseMapping":[{"originalName":"a","targetName":"b","selected":true},{"originalName":"c","targetName":"c","selected":false}]})"));
  const auto object =
      parse_restore("d", Json::parse(R"({"file":"f","databaseMapping":{"a":"b"}})"));
  for (const auto& command : {list, object}) {
    ASSERT_TRUE(command.databases);
    ASSERT_EQ(command.databases->size(), 1u);
    EXPECT_EQ(command.databases->front().original_name, "a");
    EXPECT_EQ(command.databases->front().target_name, "b");
  }
  EXPECT_FALSE(parse_restore("d", Json::parse(R"({"file":"f","databaseMapping":[]})")).databases);
  EXPECT_TRUE(parse_restore("d", Json::parse(R"({"file":"f","scope":"files"})")).wants_files);
}

}  // namespace
}  // namespace dbackup::host
