# The binaries of the npm package, each with its JavaScript:
#   simd, relaxed                  <build>/wasm/
#   simd_subset, relaxed_subset    <build>/wasm-subset/: the operators of KINGLET_SUBSET alone, from the same libraries,
#                                  and kinglet/ocr's part only with KINGLET_SUBSET_OCR
#   relaxed_named                  <build>/wasm-named/: relaxed with its functions' names, and with the linker's map,
#   relaxed_subset_named           for scripts/size.mjs
# simd and relaxed are built by default, the others when asked for.

set(KINGLET_SUBSET "" CACHE STRING "Operators of the targets simd_subset and relaxed_subset; as KINGLET_OPS")
option(KINGLET_SUBSET_OCR "Those targets have what kinglet/ocr needs" OFF)

file(GLOB binding_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/bindings/embind/*.cpp")
set(ocr_sources "${CMAKE_CURRENT_SOURCE_DIR}/bindings/embind/vision.cpp")
list(REMOVE_ITEM binding_sources ${ocr_sources})

add_library(kinglet_embind OBJECT ${binding_sources})
target_link_libraries(kinglet_embind PRIVATE kinglet_core kinglet_small)
add_library(kinglet_embind_ocr OBJECT ${ocr_sources})
target_link_libraries(kinglet_embind_ocr PRIVATE kinglet_core kinglet_small)
set(ocr_objects $<TARGET_OBJECTS:kinglet_embind_ocr>)

# kinglet_wasm(TARGET VARIANT FOLDER SOURCES...): <build>/FOLDER/VARIANT.{mjs,wasm}.
function(kinglet_wasm target variant folder)
  add_executable(${target} ${ARGN} $<TARGET_OBJECTS:kinglet_embind>)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${variant}
    LINKER_LANGUAGE CXX SUFFIX .mjs RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/${folder}")
  target_link_libraries(${target} PRIVATE kinglet_core kinglet_kernels_${variant} kinglet_small)
  target_link_options(${target} PRIVATE
    -O3 --no-entry -lembind
    -sMODULARIZE -sEXPORT_ES6 -sENVIRONMENT=web -sSTRICT=1
    -sFILESYSTEM=0 -sMALLOC=emmalloc
    -sALLOW_MEMORY_GROWTH -sMEMORY_GROWTH_LINEAR_STEP=1MB -sMAXIMUM_MEMORY=4GB -sINITIAL_HEAP=1MB -sSTACK_SIZE=1MB
    -sDYNAMIC_EXECUTION=0 -sEMBIND_AOT=1   # no eval: the page may forbid it
    -sINCOMING_MODULE_JS_API=instantiateWasm)
endfunction()

function(kinglet_wasm_named target variant folder)
  kinglet_wasm(${target} ${variant} ${folder} ${ARGN})
  set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ON)
  target_link_options(${target} PRIVATE --profiling-funcs
    "-Wl,-Map=${CMAKE_BINARY_DIR}/${folder}/${variant}.map,--no-demangle")
endfunction()

foreach(variant simd relaxed)
  kinglet_wasm(${variant} ${variant} wasm ${ocr_objects})
endforeach()
kinglet_wasm_named(relaxed_named relaxed wasm-named ${ocr_objects})

if(KINGLET_SUBSET)
  # Takes the place of the registry in kinglet_core: an archive's member is linked only for what nothing else defines.
  set(subset_sources "${CMAKE_CURRENT_BINARY_DIR}/generated/op_registry_subset.cpp")
  kinglet_op_registry("${subset_sources}" "${KINGLET_SUBSET}")
  if(KINGLET_SUBSET_OCR)
    list(APPEND subset_sources ${ocr_objects})
  endif()
  foreach(variant simd relaxed)
    kinglet_wasm(${variant}_subset ${variant} wasm-subset ${subset_sources})
    set_target_properties(${variant}_subset PROPERTIES EXCLUDE_FROM_ALL ON)
  endforeach()
  kinglet_wasm_named(relaxed_subset_named relaxed wasm-subset-named ${subset_sources})
endif()
