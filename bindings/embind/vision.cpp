// The vision functions to JavaScript. web/src/ocr/ is the other side.

#include <optional>
#include <vector>

#include "base/memory.hpp"
#include "boundary.hpp"
#include "vision/ctc.hpp"
#include "vision/detection_input.hpp"
#include "vision/line_image.hpp"
#include "vision/text_boxes.hpp"

namespace kinglet::binding {
namespace {

using namespace kinglet::vision;

struct State {
  Block pixels, line;
  Size image;
  size_t line_capacity = 0;
  std::optional<Dictionary> dictionary;
};

State& state() {
  static State instance;
  return instance;
}

ImageView image() {
  if (state().pixels == nullptr) throw_error(ErrorCode::kInternal, "no image is set");
  const auto* bytes = reinterpret_cast<const uint8_t*>(state().pixels.get());
  return {{bytes, 4 * state().image.width * state().image.height}, state().image};
}

val to_js(const Quad& quad) {
  val list = val::array();
  for (size_t i = 0; i < quad.size(); ++i) {
    val point = val::array();
    point.set(0, quad[i].x);
    point.set(1, quad[i].y);
    list.set(i, point);
  }
  return list;
}

Quad quad_from_js(const val& list) {
  Quad quad;
  for (size_t i = 0; i < quad.size(); ++i) quad[i] = {list[i][0].as<float>(), list[i][1].as<float>()};
  return quad;
}

std::vector<Quad> quads_from_js(const val& list) {
  std::vector<Quad> quads;
  for (size_t i = 0, n = list["length"].as<size_t>(); i < n; ++i) quads.push_back(quad_from_js(list[i]));
  return quads;
}

std::span<float> floats_from_js(double address, size_t count) {
  return {pointer_from_js<float>(address), count};
}

/// Address to which JavaScript writes 4 * width * height bytes of RGBA: the picture of the calls below.
val set_image(double width, double height) {
  return guarded([&] {
    const Size size{bytes_from_js(width), bytes_from_js(height)};
    const size_t bytes = 4 * pixel_count(size, "the image");
    state().pixels.reset();
    state().pixels = allocate_block(bytes);
    state().image = size;
    return binding::to_js(state().pixels.get());
  });
}

void clear_image() {
  state().pixels.reset();
  state().line.reset();
  state().line_capacity = 0;
}

val detection_size_of_image(bool short_side, double side) {
  return guarded([&] {
    using Limit = DetectionInputOptions::Limit;
    const auto limit = short_side ? Limit::kShortSide : Limit::kLongSide;
    const Size size = detection_size(state().image, {.limit = limit, .side = bytes_from_js(side)});
    val object = val::object();
    object.set("width", static_cast<double>(size.width));
    object.set("height", static_cast<double>(size.height));
    return object;
  });
}

/// Writes the detector's input [1, 3, height, width] at `address`.
val write_detection_input(double address, double width, double height) {
  return guarded([&] {
    const Size size{bytes_from_js(width), bytes_from_js(height)};
    detection_input(image(), size, floats_from_js(address, 3 * size.width * size.height));
    return val::undefined();
  });
}

/// Boxes from the probability map [height, width] at `address`, as `[{box, score}]` in reading order.
val text_boxes(double address, double width, double height, const val& options) {
  return guarded([&] {
    const Size map{bytes_from_js(width), bytes_from_js(height)};
    TextBoxOptions chosen;
    chosen.threshold = options["threshold"].as<float>();
    chosen.box_threshold = options["boxThreshold"].as<float>();
    chosen.unclip_ratio = options["unclipRatio"].as<float>();
    chosen.min_side = options["minSide"].as<float>();
    chosen.max_boxes = bytes_from_js(options["maxBoxes"].as<double>());
    const auto probabilities = floats_from_js(address, map.width * map.height);
    const auto boxes = find_text_boxes(probabilities, map, state().image, chosen);
    val list = val::array();
    for (size_t i = 0; i < boxes.size(); ++i) {
      val entry = val::object();
      entry.set("box", to_js(boxes[i].quad));
      entry.set("score", boxes[i].score);
      list.set(i, entry);
    }
    return list;
  });
}

val upright_quad(const val& quad) {
  return guarded([&] { return to_js(upright(quad_from_js(quad))); });
}

val half_turned_quad(const val& quad) {
  return guarded([&] { return to_js(half_turn(quad_from_js(quad))); });
}

/// Indices of the quads in the order in which they are read.
val order_of_quads(const val& quads) {
  return guarded([&] {
    val list = val::array();
    size_t place = 0;
    for (const size_t i : reading_order(quads_from_js(quads))) list.set(place++, static_cast<double>(i));
    return list;
  });
}

val line_width_of_quad(const val& quad) {
  return guarded([&] { return val(static_cast<double>(line_width(quad_from_js(quad)))); });
}

/// `count` floats that stay between calls.
std::span<float> line_buffer(size_t count) {
  if (state().line_capacity < count) {
    state().line.reset();
    state().line_capacity = 0;
    state().line = allocate_block(count * sizeof(float));
    state().line_capacity = count;
  }
  return {reinterpret_cast<float*>(state().line.get()), count};
}

/// Address of the recognizer's input [quads.length, 3, kLineHeight, width]; it holds until the next call.
val recognizer_input(const val& quads, double width) {
  return guarded([&] {
    const std::vector<Quad> lines = quads_from_js(quads);
    const size_t columns = bytes_from_js(width);
    if (columns > kMaxLineWidth) {
      throw_error(ErrorCode::kInvalidArgument, "lines of {} columns are too wide", columns);
    }
    const auto input = line_buffer(lines.size() * 3 * kLineHeight * columns);
    line_batch(image(), lines, columns, input);
    return binding::to_js(input.data());
  });
}

/// Address of the classifier's input [1, 3, kLineHeight, kOrientationWidth]; it holds until the next call.
val classifier_input(const val& quad) {
  return guarded([&] {
    const auto input = line_buffer(3 * kLineHeight * kOrientationWidth);
    orientation_input(image(), quad_from_js(quad), input);
    return binding::to_js(input.data());
  });
}

val upside_down(double address, double count) {
  return guarded([&] { return val(is_upside_down(floats_from_js(address, bytes_from_js(count)))); });
}

/// `classes`: how many the recognizer gives, 0 when that is not known before it runs.
val load_dictionary(const std::string& text, double classes) {
  return guarded([&] {
    state().dictionary.emplace(text);
    if (const size_t count = bytes_from_js(classes); count != 0) check_classes(count, *state().dictionary);
    return val::undefined();
  });
}

/// Text of the recognizer's scores [steps, classes] at `address`, as `{text, confidence}`.
val decode_line(double address, double steps, double classes) {
  return guarded([&] {
    if (!state().dictionary) throw_error(ErrorCode::kInternal, "no dictionary is loaded");
    const size_t rows = bytes_from_js(steps), columns = bytes_from_js(classes);
    const auto scores = floats_from_js(address, rows * columns);
    const DecodedLine line = decode_ctc(scores, rows, columns, *state().dictionary);
    val object = val::object();
    object.set("text", line.text);
    object.set("confidence", line.confidence);
    return object;
  });
}

}  // namespace

EMSCRIPTEN_BINDINGS(vision) {
  emscripten::constant("lineHeight", static_cast<double>(kLineHeight));
  emscripten::constant("orientationWidth", static_cast<double>(kOrientationWidth));
  emscripten::function("setImage", &set_image);
  emscripten::function("clearImage", &clear_image);
  emscripten::function("detectionSize", &detection_size_of_image);
  emscripten::function("detectionInput", &write_detection_input);
  emscripten::function("textBoxes", &text_boxes);
  emscripten::function("upright", &upright_quad);
  emscripten::function("halfTurn", &half_turned_quad);
  emscripten::function("readingOrder", &order_of_quads);
  emscripten::function("lineWidth", &line_width_of_quad);
  emscripten::function("recognizerInput", &recognizer_input);
  emscripten::function("classifierInput", &classifier_input);
  emscripten::function("isUpsideDown", &upside_down);
  emscripten::function("loadDictionary", &load_dictionary);
  emscripten::function("decodeLine", &decode_line);
}

}  // namespace kinglet::binding
