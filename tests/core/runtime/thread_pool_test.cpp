// ThreadPool: every item once, errors, cancelling; and sessions of several threads against one.

#if !defined(__wasm__)  // there threads are the host's: tests/node/threads.test.mjs

#include "runtime/thread_pool.hpp"

#include <numeric>
#include <stdexcept>

#include "runtime/models.hpp"

using namespace kinglet;
using namespace kinglet::test;

namespace {

template <class F>
void run_on(ThreadPool& pool, size_t items, size_t grain, const F& body) {
  pool.run(items, grain,
           [](const void* f, size_t begin, size_t end, size_t worker) {
             (*static_cast<const F*>(f))(begin, end, worker);
           },
           &body);
}

/// Convolutions, a product, a softmax and elementwise operators, large enough to be split.
Bytes large_model() {
  return model_file({.graph = graph(
      {.nodes = {node("Conv", {"x", "w1"}, {"a"}, {ints_attribute("pads", {1, 1, 1, 1})}, "conv3"),
                 node("Relu", {"a"}, {"b"}, {}, "relu"),
                 node("Conv", {"b", "w2"}, {"c"}, {}, "conv1"),
                 node("Add", {"c", "b"}, {"d"}, {}, "add"),
                 node("Reshape", {"d", "rows"}, {"e"}, {}, "reshape"),
                 node("MatMul", {"e", "w3"}, {"f"}, {}, "product"),
                 node("Softmax", {"f"}, {"y"}, {}, "softmax")},
       .initializers = {weights_tensor("w1", {32, 16, 3, 3}), weights_tensor("w2", {32, 32, 1, 1}),
                        longs_tensor("rows", {2}, {512, 200}), weights_tensor("w3", {200, 384})},
       .inputs = {value("x", 1, {"1", "16", "64", "50"})},
       .outputs = {value("y")}})});
}

}  // namespace

TEST_CASE("a pool runs every item once", "[threads]") {
  for (const size_t threads : {1, 2, 3, 5}) {
    ThreadPool pool(threads);
    pool.start();
    for (size_t items = 0; items < 200; items = items * 3 / 2 + 1) {
      for (const size_t grain : {1, 2, 7, 300}) {
        std::vector<std::atomic<int>> seen(items + 1);
        std::atomic<bool> numbered = true;
        run_on(pool, items, grain, [&](size_t begin, size_t end, size_t worker) {
          if (worker >= threads) numbered = false;
          for (size_t i = begin; i < end; ++i) ++seen[i];
        });
        for (size_t i = 0; i < items; ++i) CHECK(seen[i] == 1);
        CHECK(seen[items] == 0);
        CHECK(numbered);
      }
    }
  }
}

TEST_CASE("ranges are large enough, whole units, and end together", "[threads]") {
  for (const size_t threads : {1, 2, 3, 8}) {
    const ThreadPool pool(threads);
    for (size_t items = 0; items < 3000; items += 1 + items / 7) {
      for (const size_t least : {0, 1, 5, 100, 131072}) {
        for (const size_t unit : {1, 4, 6, 32}) {
          CAPTURE(threads, items, least, unit);
          const size_t grain = pool.grain(items, least, unit);
          REQUIRE(grain > 0);
          REQUIRE(grain % unit == 0);
          REQUIRE((items == 0 || grain >= least));
        }
      }
    }
  }
  const ThreadPool pool(2);
  CHECK(pool.grain(12, 1, 1) == 1);
  CHECK(pool.grain(512, 1, 8) == 64);  // 48 would make 11 ranges, of which one thread had 6
}

TEST_CASE("workers have numbers of their own", "[threads]") {
  ThreadPool pool(4);
  pool.start();
  std::array<std::atomic<int>, 4> busy{};
  std::atomic<bool> clash = false;
  for (int round = 0; round < 200; ++round) {
    run_on(pool, 64, 1, [&](size_t, size_t, size_t worker) {
      if (busy[worker].fetch_add(1) != 0) clash = true;
      busy[worker].fetch_sub(1);
    });
  }
  CHECK_FALSE(clash);
}

TEST_CASE("an exception on any thread reaches the caller, and the pool goes on", "[threads]") {
  ThreadPool pool(3);
  pool.start();
  for (size_t wrong = 0; wrong < 40; ++wrong) {
    const auto body = [&](size_t begin, size_t, size_t) {
      if (begin == wrong) throw_error(ErrorCode::kShape, "item {}", wrong);
    };
    const Error error = error_of([&] { run_on(pool, 40, 1, body); });
    CHECK(error.code == ErrorCode::kShape);
    CHECK(error.message == text("item {}", wrong));
    std::atomic<size_t> sum = 0;
    run_on(pool, 10, 1, [&](size_t begin, size_t, size_t) { sum += begin; });
    CHECK(sum == 45);
  }
}

TEST_CASE("a cancelled loop ends between its ranges", "[threads]") {
  ThreadPool pool(2);
  pool.start();
  std::atomic<bool> cancel = false;
  std::atomic<size_t> done = 0;
  pool.set_cancel(&cancel);
  const Error error = error_of([&] {
    run_on(pool, 1000, 1, [&](size_t, size_t, size_t) {
      if (++done == 10) cancel = true;
    });
  });
  CHECK(error.code == ErrorCode::kAborted);
  CHECK(done < 1000);
  pool.set_cancel(nullptr);
  run_on(pool, 1000, 1, [&](size_t, size_t, size_t) { ++done; });
}

TEST_CASE("a thread that is lost ends the run, and those after it", "[threads]") {
  ThreadPool pool(2);
  pool.lose(1);
  for (int i = 0; i < 2; ++i) {
    CHECK(error_of([&] { run_on(pool, 10, 1, [](size_t, size_t, size_t) {}); }).code == ErrorCode::kInternal);
  }
}

TEST_CASE("sessions of several threads compute what one does", "[threads][session]") {
  const Bytes file = large_model();
  // Small, so that the softmax does not magnify what products in another order round otherwise.
  const Tensor x = iota({1, 16, 64, 50}, -1e-4f, 1e-4f / 8192);
  for (const bool optimize : {true, false}) {
    Session one = load(file, optimize);
    const std::vector<Tensor> want = run(one, {{"x", x}});
    for (const size_t threads : {2, 3}) {
      Session session = Session::load(model_bytes(file), {.optimize = optimize, .threads = threads});
      for (int i = 0; i < 5; ++i) CHECK(difference(run(session, {{"x", x}})[0], want[0], 1e-5) == "");
      const MemoryUse before = session.memory();
      run(session, {{"x", x}});
      CHECK(session.memory().total() == before.total());

      std::atomic<bool> cancel = true;
      const Feed feeds[] = {{"x", x}};
      CHECK(error_of([&] { session.run(feeds, {}, {.cancel = &cancel}); }).code == ErrorCode::kAborted);
      CHECK(difference(run(session, {{"x", x}})[0], want[0], 1e-5) == "");
    }
  }
}

TEST_CASE("a wrong number of threads is refused", "[threads][session]") {
  for (const size_t threads : {size_t{0}, size_t{65}, SIZE_MAX}) {
    CHECK(error_of([&] { Session::load(model_bytes(large_model()), {.threads = threads}); }).code ==
          ErrorCode::kInvalidArgument);
  }
}

#endif
