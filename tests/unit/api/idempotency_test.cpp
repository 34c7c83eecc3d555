#include "api/idempotency.hpp"

#include <gtest/gtest.h>

#include "api/http_error.hpp"
#include "base/json.hpp"
#include "tests/unit/services/test_database.hpp"

namespace dbackup::host {
namespace {

struct Repeated : testing::TestDatabase {
  Idempotency idempotency{*database, clock};
  int calls = 0;
  IdempotentRequest request{.principal = "p", .route = "POST /api/jobs", .key = "k1", .body = "{}"};

  HttpResponse send(int status = 201) {
    return idempotency.answer(request, [&] {
      ++calls;
      return HttpResponse::json(status,
                                "{\"data\":{\"id\":\"made-" + std::to_string(calls) + "\"}}");
    });
  }
  int status_of_failure() {
    try {
      send();
    } catch (const Error& error) {
      return http_status(error.code(), error.reason());
    }
    return 0;
  }
};

TEST(Idempotency, AnswersARepetitionWithTheFirstAnswer) {
  Repeated repeated;
  const HttpResponse first = repeated.send();
  const HttpResponse second = repeated.send();
  EXPECT_EQ(repeated.calls, 1);
  EXPECT_EQ(second.status, 201);
  EXPECT_EQ(std::get<std::string>(first.body), std::get<std::string>(second.body));
  EXPECT_EQ(second.headers.get("Idempotent-Replayed"), "true");
}

TEST(Idempotency, KeepsCallersRoutesAndKeysApart) {
  Repeated repeated;
  repeated.send();
  repeated.request.principal = "other";
  repeated.send();
  repeated.request.route = "POST /api/adapters";
  repeated.send();
  repeated.request.key = "k2";
  repeated.send();
  EXPECT_EQ(repeated.calls, 4);
}

TEST(Idempotency, RefusesAnotherBodyUnderTheSameKey) {
  Repeated repeated;
  repeated.send();
  repeated.request.body = R"({"name":"x"})";
  EXPECT_EQ(repeated.status_of_failure(), 422);
  EXPECT_EQ(repeated.calls, 1);
}

TEST(Idempotency, RefusesARepetitionWhileTheFirstRuns) {
  Repeated repeated;
  int status = 0;
  repeated.idempotency.answer(repeated.request, [&] {
    status = repeated.status_of_failure();
    return HttpResponse::json(200, "{}");
  });
  EXPECT_EQ(status, 409);
  EXPECT_EQ(repeated.calls, 0);
}

TEST(Idempotency, LetsAFailedRequestBeRepeated) {
  Repeated repeated;
  EXPECT_THROW(
      repeated.idempotency.answer(repeated.request,
                                  []() -> HttpResponse { throw Error(ErrorCode::NotFound, "no"); }),
      Error);
  EXPECT_EQ(repeated.send(500).status, 500);
  EXPECT_EQ(repeated.send().status, 201);
  EXPECT_EQ(repeated.calls, 2);
}

TEST(Idempotency, KeepsNoSecretAndNamesWhatWasMade) {
  Repeated repeated;
  repeated.request.secret_owner = "/data/id";
  repeated.send();
  try {
    repeated.send();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(http_status(error.code(), error.reason()), 409);
    EXPECT_NE(std::string{error.what()}.find("made-1"), std::string::npos);
  }
}

TEST(Idempotency, ForgetsAfterADay) {
  Repeated repeated;
  repeated.send();
  repeated.clock.advance(TimeMs{24} * 3'600'000 + 1);
  repeated.send();
  EXPECT_EQ(repeated.calls, 2);
}

TEST(Idempotency, DoesNotGuessWhatBecameOfAnInterruptedRequest) {
  Repeated repeated;
  repeated.idempotency.answer(repeated.request, [&] {
    repeated.clock.advance(10);
    Idempotency after_restart{*repeated.database, repeated.clock};
    EXPECT_THROW(
        after_restart.answer(repeated.request, [] { return HttpResponse::json(200, "{}"); }),
        Error);
    return HttpResponse::json(200, "{}");
  });
}

TEST(Idempotency, RefusesKeysThatAreNone) {
  Repeated repeated;
  for (const std::string& key :
       {std::string{}, std::string(256, 'x'), std::string{"a b"}, std::string{"a\nb"}}) {
    repeated.request.key = key;
    EXPECT_EQ(repeated.status_of_failure(), 400);
  }
}

}  // namespace
}  // namespace dbackup::host
