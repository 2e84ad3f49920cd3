// Session to JavaScript. web/src/instance.ts is the other side.

#include <emscripten/heap.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <optional>

#include <kinglet/session.hpp>

#include "base/packed.hpp"
#include "boundary.hpp"
#include "feeds.hpp"
#include "threads.hpp"

namespace kinglet::binding {

ThreadPool* thread_pool = nullptr;

namespace {

struct State {
  ModelBytes model;
  std::map<std::string, ModelBytes> external_data;  // by location
  std::optional<Session> session;
  Feeds feeds;
  std::vector<Tensor> outputs;  // of the last run
  std::deque<Tensor> packed;    // copies of those whose elements JavaScript gets packed
};

State& state() {
  static State instance;
  return instance;
}

Session& session() {
  if (!state().session) throw_error(ErrorCode::kInternal, "no model is loaded");
  return *state().session;
}

/// The file at `location`; "" is the model.
ModelBytes& file_at(const std::string& location) { return location.empty() ? state().model : state().external_data[location]; }

/// Grows the heap once for what a model of `size` bytes takes at the least, packed weights and activations among it. Each
/// time that a large heap grows, V8 may collect garbage, which takes milliseconds.
void grow_heap_for(size_t size) {
  // Behind the last block there may be room already: threads begin with a larger heap.
  const uint64_t wanted = uint64_t{reinterpret_cast<uintptr_t>(sbrk(0))} + size + size / 12;
  if (wanted <= emscripten_get_heap_size()) return;
  // Where the host has no room for it, the allocations fail that need it.
  if (wanted <= SIZE_MAX) emscripten_resize_heap(static_cast<size_t>(wanted));
}

/// Address of `size` bytes for the file at `location`; what an earlier call's block holds is carried over.
val reserve_file(const std::string& location, double size) {
  return guarded([&] {
    ModelBytes& file = file_at(location);
    const size_t bytes = bytes_from_js(size);
    grow_heap_for(bytes);
    ModelBytes grown = ModelBytes::allocate(bytes);
    if (file.size != 0) std::memcpy(grown.data.get(), file.data.get(), std::min(file.size, grown.size));
    file = std::move(grown);
    return to_js(static_cast<const void*>(file.data.get()));
  });
}

/// How many of the reserved bytes the file at `location` has in truth.
val finish_file(const std::string& location, double size) {
  return guarded([&] {
    ModelBytes& file = file_at(location);
    if (size > static_cast<double>(file.size)) {
      throw_error(ErrorCode::kInternal, "file '{}' is longer than its block", location);
    }
    file.size = static_cast<size_t>(size);
    return val::undefined();
  });
}

std::vector<std::string> strings_from_js(const val& list) {
  std::vector<std::string> strings;
  const auto count = list["length"].as<size_t>();
  for (size_t i = 0; i < count; ++i) strings.push_back(list[i].as<std::string>());
  return strings;
}

/// `without`: names of passes that are left out.
val load(bool optimize, const val& without) {
  return guarded([&] {
    SessionOptions options;
    options.optimize = optimize;
    options.without_passes = strings_from_js(without);
    options.pool = thread_pool;
    options.external_data = std::exchange(state().external_data, {});
    if (state().model.data == nullptr) throw_error(ErrorCode::kInternal, "no model bytes were given");
    state().session.emplace(Session::load(std::exchange(state().model, {}), std::move(options)));
    return val::undefined();
  });
}

val values_to_js(const std::vector<ValueDescription>& values) {
  val list = val::array();
  for (size_t i = 0; i < values.size(); ++i) {
    const ValueDescription& value = values[i];
    val dims = val::null();
    if (value.has_rank) {
      dims = val::array();
      for (size_t d = 0; d < value.dims.size(); ++d) {
        const auto& dim = value.dims[d];
        dims.set(d, dim.value >= 0     ? val(static_cast<double>(dim.value))
                    : dim.name.empty() ? val::null()
                                       : val(dim.name));
      }
    }
    val entry = val::object();
    entry.set("name", value.name);
    entry.set("type", value.type.text());
    entry.set("dims", dims);
    list.set(i, entry);
  }
  return list;
}

val inputs() {
  return guarded([] { return values_to_js(session().inputs()); });
}

val outputs() {
  return guarded([] { return values_to_js(session().outputs()); });
}

DType type_from_js(const std::string& name) {
  const auto dtype = dtype_from_name(name);
  if (!dtype) throw_error(ErrorCode::kInvalidArgument, "unknown element type '{}'", name);
  return *dtype;
}

/// Address of the buffer that the next run reads input `name` from.
val feed(const std::string& name, const std::string& type, const val& dims) {
  return guarded([&] {
    const Tensor& tensor = state().feeds.add(name, type_from_js(type), shape_from_js(dims));
    return to_js(static_cast<const void*>(tensor.raw()));
  });
}

/// Input `name`, or the next item of the open value, is an optional without a value.
val feed_none(const std::string& name) {
  return guarded([&] {
    state().feeds.add_none(name);
    return val::undefined();
  });
}

/// What is fed from here to closeFeed() are the items of a sequence, or the keys and the values of a map.
val open_feed(const std::string& name, bool is_map) {
  return guarded([&] {
    state().feeds.open(name, is_map ? DType::kMap : DType::kSequence);
    return val::undefined();
  });
}

val close_feed() {
  return guarded([] {
    state().feeds.close();
    return val::undefined();
  });
}

val feed_strings(const std::string& name, const val& elements, const val& dims) {
  return guarded([&] {
    Tensor& tensor = state().feeds.add(name, DType::kString, shape_from_js(dims));
    auto* strings = tensor.data<std::string>();
    for (size_t i = 0, n = tensor.count(); i < n; ++i) strings[i] = elements[i].as<std::string>();
    return val::undefined();
  });
}

/// null: an optional without a value.
val output_to_js(const Tensor& tensor) {
  if (tensor.dtype() == DType::kNone) return val::null();
  val object = val::object();
  if (tensor.dtype() == DType::kSequence || tensor.dtype() == DType::kMap) {
    val items = val::array();
    for (size_t i = 0; i < tensor.count(); ++i) items.set(i, output_to_js(tensor.items()[i]));
    object.set(tensor.dtype() == DType::kMap ? "map" : "items", items);
    return object;
  }
  object.set("type", std::string(dtype_name(tensor.dtype())));
  object.set("dims", to_js(tensor.shape()));
  const Tensor* stored = &tensor;
  if (packed_per_byte(tensor.dtype()) > 1) {
    Tensor packed(DType::kUint8, {static_cast<int64_t>(packed_bytes(tensor.dtype(), tensor.count()))});
    pack(tensor, packed.raw());
    stored = &state().packed.emplace_back(std::move(packed));
  }
  if (tensor.dtype() == DType::kString) {
    val strings = val::array();
    const auto elements = tensor.values<std::string>();
    for (size_t i = 0; i < elements.size(); ++i) strings.set(i, elements[i]);
    object.set("strings", strings);
  } else {
    object.set("address", to_js(static_cast<const void*>(stored->raw())));
    object.set("bytes", static_cast<double>(stored->bytes()));
  }
  return object;
}

/// Runs with what was fed since the last run. The result's addresses hold until the next run.
val run(const val& wanted) {
  const val result = guarded([&] {
    const std::vector<std::string> names = strings_from_js(wanted);
    state().outputs.clear();
    state().packed.clear();
    state().outputs = session().run(state().feeds.ready(), names);
    val list = val::array();
    for (size_t i = 0; i < state().outputs.size(); ++i) list.set(i, output_to_js(state().outputs[i]));
    return list;
  });
  state().feeds.clear();
  return result;
}

/// Forgets the feeds of a run that will not take place or failed, and gives the memory of all feeds back: it
/// may be what was lacking.
void release_feeds() { state().feeds.release(); }

/// Runs with what was fed since the last run, for the times alone: `[{node, op, ms, dims}]`, a row for each node that
/// ran, with the shapes of its outputs.
val profile() {
  const val result = guarded([&] {
    std::vector<NodeTime> rows;
    state().outputs.clear();
    session().run(state().feeds.ready(), {}, {.profile = &rows});
    val list = val::array();
    for (size_t i = 0; i < rows.size(); ++i) {
      val row = val::object();
      row.set("node", rows[i].node);
      row.set("op", rows[i].op);
      row.set("ms", rows[i].milliseconds);
      val dims = val::array();
      for (size_t k = 0; k < rows[i].outputs.size(); ++k) dims.set(k, to_js(rows[i].outputs[k]));
      row.set("dims", dims);
      list.set(i, row);
    }
    return list;
  });
  state().feeds.clear();
  return result;
}

val memory() {
  return guarded([] {
    const MemoryUse use = session().memory();
    val object = val::object();
    object.set("weights", static_cast<double>(use.weights));
    object.set("activations", static_cast<double>(use.activations));
    return object;
  });
}

val describe() {
  return guarded([] { return val(session().describe()); });
}

}  // namespace

EMSCRIPTEN_BINDINGS(session) {
  emscripten::function("reserveFile", &reserve_file);
  emscripten::function("finishFile", &finish_file);
  emscripten::function("load", &load);
  emscripten::function("inputs", &inputs);
  emscripten::function("outputs", &outputs);
  emscripten::function("feed", &feed);
  emscripten::function("feedStrings", &feed_strings);
  emscripten::function("feedNone", &feed_none);
  emscripten::function("openFeed", &open_feed);
  emscripten::function("closeFeed", &close_feed);
  emscripten::function("run", &run);
  emscripten::function("profile", &profile);
  emscripten::function("releaseFeeds", &release_feeds);
  emscripten::function("memory", &memory);
  emscripten::function("describe", &describe);
}

}  // namespace kinglet::binding
