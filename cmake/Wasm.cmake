# The two binaries of the npm package, dist-ready in <build>/wasm/: simd.{mjs,wasm} and relaxed.{mjs,wasm}.

file(GLOB binding_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/bindings/embind/*.cpp")

add_library(kinglet_embind OBJECT ${binding_sources})
target_link_libraries(kinglet_embind PRIVATE kinglet_core kinglet_small)

foreach(variant simd relaxed)
  add_executable(${variant} $<TARGET_OBJECTS:kinglet_embind>)
  set_target_properties(${variant} PROPERTIES
    LINKER_LANGUAGE CXX SUFFIX .mjs RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/wasm")
  target_link_libraries(${variant} PRIVATE kinglet_core kinglet_kernels_${variant})
  target_link_options(${variant} PRIVATE
    -O3 --no-entry -lembind
    -sMODULARIZE -sEXPORT_ES6 -sENVIRONMENT=web -sSTRICT=1
    -sFILESYSTEM=0 -sMALLOC=emmalloc
    -sALLOW_MEMORY_GROWTH -sMAXIMUM_MEMORY=4GB -sINITIAL_HEAP=1MB -sSTACK_SIZE=1MB
    -sDYNAMIC_EXECUTION=0 -sEMBIND_AOT=1   # no eval: the page may forbid it
    -sINCOMING_MODULE_JS_API=instantiateWasm)
endforeach()
