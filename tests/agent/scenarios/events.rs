//! Events about files that are lost, or never come.
